//! How tasks end.

use super::{Body, Life, Line, Model, Resource, queue::Message, record::Done};
use abi::{EXIT_REPORT, Error, ExitReport};
use witness::Verdict;

impl Model {
    /// A task returns.
    pub fn exit(&mut self, who: u32, code: i32) {
        self.cut_short(who);
        self.tell(who, Line::Exit { subject: who, code });
        self.tell(who, Line::StateRoot { subject: who });
        self.end(who, 0, code);
    }

    /// A task has no fuel for what comes next.
    pub fn end_by_fuel(&mut self, who: u32) {
        self.cut_short(who);
        let task = &self.tasks[&who];
        let (given, spent) = (task.fuel.saturating_sub(task.given), task.spent);
        self.tell(who, Line::OutOfFuel { subject: who, given, spent });
        self.end(who, 2, 0);
    }

    /// There are no records left for what comes next.
    pub(super) fn end_by_records(&mut self, who: u32) {
        self.cut_short(who);
        let partition = self.tasks[&who].partition.unwrap();
        let limit = self.partitions[partition].records.limit;
        self.tell(who, Line::RecordsSpent { subject: who, limit });
        self.end(who, 3, 0);
    }

    pub(super) fn cut_short(&mut self, who: u32) {
        let task = self.tasks.get_mut(&who).unwrap();
        if let Some(said) = task.waits_in.take() {
            self.say(said, Verdict::CutShort, Done::default());
        }
    }

    /// Everything about an end but the records of its own.
    pub(super) fn end(&mut self, who: u32, outcome: u8, code: i32) {
        self.cut_short(who);
        let task = self.tasks.get_mut(&who).unwrap();
        let unspent = task.fuel_left();
        let (memory, partition, parent) = (task.memory, task.partition, task.parent);
        let (known_as, sent) = (task.known_as, task.last);
        let own = [task.object.take(), task.mailbox.take()];
        task.life = Life::Ended { outcome, code };
        self.give_back(partition, Resource::Memory, memory);
        let giver = self.tasks.get_mut(&parent).unwrap();
        giver.given = giver.given.saturating_sub(unspent);
        let mailbox = giver.mailbox;

        let held: Vec<_> = self.tasks[&who].space.iter().map(|(handle, _)| handle).collect();
        for handle in held {
            self.take_away(who, handle, Error::StaleHandle);
        }
        for object in self.objects.values_mut() {
            if let Body::Sensor(all) = &mut object.body {
                for place in all {
                    place.take_if(|it| it.subscriber == who);
                }
            }
        }
        self.doomed.extend(own.into_iter().flatten());

        if let (Some(handle), Some(mailbox)) = (known_as, mailbox) {
            let bytes = ExitReport { subject: who, outcome, code, handle }.to_bytes().to_vec();
            let (kind, priority, badge, reference) = (EXIT_REPORT, 0, 0, None);
            let report = Message { kind, priority, badge, bytes, reference, sent };
            self.queue(mailbox).unwrap().report(report);
        }
    }
}
