//! What comes in between slices, and slices.

use super::{Body, Life, Line, Model, queue::Message};
use crate::deed::Event;
use abi::Error;

/// Where typed text and signed proofs arrive.
const CONSOLE_INPUT: u32 = 1;
const APPROVALS: u32 = 6;
const CONSOLE: u32 = 0;

impl Model {
    pub fn event(&mut self, event: &Event) {
        let index = self.next;
        self.write(Line::Event);
        match event {
            Event::Stop => {
                self.halted = true;
                let waits: Vec<u32> = self
                    .tasks
                    .iter()
                    .filter(|(_, task)| task.waits_in.is_some())
                    .map(|(who, _)| *who)
                    .collect();
                for who in waits {
                    self.cut_short(who);
                    let task = self.tasks.get_mut(&who).unwrap();
                    (task.life, task.answer) = (Life::Parked, Some(Error::CutShort.to_guest()));
                }
            }
            Event::Resume => {
                self.halted = false;
                for task in self.tasks.values_mut().filter(|task| task.life == Life::Parked) {
                    task.life = Life::Ready;
                }
            }
            Event::Shutdown => {
                let alive = self.tasks.iter().filter(|(_, task)| task.is_alive());
                let alive: Vec<u32> = alive.map(|(who, _)| *who).collect();
                alive.into_iter().for_each(|who| self.end(who, 4, 0));
            }
            Event::Reading(bytes) => self.reading(bytes, index),
            Event::Typed(bytes) => drop(self.arrive(CONSOLE_INPUT, 0, 0, bytes, index)),
            Event::Approval(proof) => {
                self.approvals.insert(0, (**proof, index));
                self.approvals.truncate(32);
                self.arrive(APPROVALS, 0, 0, &proof.to_bytes(), index);
            }
        }
        self.bury();
    }

    /// The event that brought a proof, if it is one of the last.
    pub(super) fn event_of(&self, proof: &abi::SignedProof) -> Option<u64> {
        self.approvals.iter().find(|(known, _)| known == proof).map(|(_, index)| *index)
    }

    /// What does not fit is lost.
    fn arrive(&mut self, queue: u32, kind: u32, badge: u64, bytes: &[u8], index: u64) -> bool {
        let (priority, bytes, reference, sent) = (0, bytes.to_vec(), None, Some(index));
        let message = Message { kind, priority, badge, bytes, reference, sent };
        self.queue(queue).is_some_and(|queue| queue.send(message).is_ok())
    }

    fn reading(&mut self, bytes: &[u8], index: u64) {
        for place in 0..16 {
            let Body::Sensor(all) = &self.objects[&self.sensor].body else { unreachable!() };
            let Some(it) = all[place].clone() else { continue };
            let is_live = self.is_live(&it.source).is_ok() && self.is_live(&it.queue).is_ok();
            let arrived =
                is_live && self.arrive(it.queue.object, self.sensor, it.queue.badge, bytes, index);
            let sensor = self.objects.get_mut(&self.sensor).unwrap();
            let Body::Sensor(all) = &mut sensor.body else { unreachable!() };
            match &mut all[place] {
                place if !is_live => *place = None,
                Some(it) if arrived => {
                    // It is a use of both.
                    for cap in [&mut it.source, &mut it.queue] {
                        cap.uses -= u32::from(cap.uses != u32::MAX);
                    }
                }
                _ => {}
            }
        }
    }

    /// Whether a task can be chosen now.
    pub fn can_run(&self, who: u32) -> bool {
        match self.tasks[&who].life {
            Life::Ready => true,
            Life::Waiting(until, Some(queue)) => {
                let found = self.objects.get(&queue);
                let Some(Body::Queue(queue)) = found.map(|it| &it.body) else { return true };
                until <= self.now || !queue.messages.is_empty()
            }
            _ => false,
        }
    }

    /// When the next waiting task goes on by itself.
    pub fn earliest(&self) -> Option<u64> {
        let until = |task: &super::Task| match task.life {
            Life::Waiting(until, _) if until < u64::MAX => Some(until),
            _ => None,
        };
        self.tasks.values().filter_map(until).min()
    }

    pub fn begin_slice(&mut self, who: u32) {
        assert!(self.can_run(who), "task {who} has a slice and is {:?}", self.tasks[&who].life);
        self.tasks.get_mut(&who).unwrap().life = Life::Running;
        self.calls = 0;
    }

    pub fn end_slice(&mut self, who: u32) {
        let task = self.tasks.get_mut(&who).unwrap();
        if task.life == Life::Running {
            task.life = Life::Ready;
        }
        // What was written is on its way, and held by nobody.
        self.queue(CONSOLE).unwrap().messages.clear();
        self.bury();
    }
}
