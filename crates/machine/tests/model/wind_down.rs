//! The end of a run: when packages are unmounted and all tasks have ended,
//! nothing is left over of what they had.

use crate::{
    deed::{Deed, Event, Step, What},
    drive::Drive,
    plain::{Body, Model},
};
use abi::{Call, Handle, Kind};
use nucleus::view;

/// Slices in which those that may are asked to unmount their packages.
const PATIENCE: usize = 40;

/// Objects of the machine's own.
const WELL_KNOWN: usize = 7;

impl Drive {
    /// Unmounts what can be, shuts down, empties the queues that stay, and
    /// looks for what is left.
    pub fn wind_down(&mut self) {
        self.step(&Step::End { fuel: 0 });
        self.step(&Step::Event(Event::Resume));
        for _ in 0..PATIENCE {
            let is_over = packages(&self.model).count() == 0 || !self.step(&Step::Begin);
            if is_over {
                break;
            }
            self.unmount_or_exit();
        }
        self.step(&Step::Event(Event::Shutdown));
        self.empty_queues();
        self.nothing_is_left();
        // No slot of the log is set aside: the fresh one has two for each task.
        let mut fresh = Drive::new();
        fresh.seal();
        self.seal();
        let free = fresh.nucleus.log().room() + 2 * fresh.nucleus.tasks().count();
        assert_eq!(self.nucleus.log().room(), free, "slots of the log");
    }

    /// Tasks of packages return, the others unmount what they may.
    fn unmount_or_exit(&mut self) {
        let Some((who, _)) = self.on else { return };
        if self.model.tasks[&who].partition != Some(0) {
            self.step(&Step::Exit(0));
            return;
        }
        let held = held(&self.model, who, Kind::Namespace);
        for path in ["a", "b"].into_iter().filter(|_| !held.is_empty()) {
            let unmount = What::Unmount { path: path.into() };
            self.step(&Step::Call(deed(Call::RvfMount, held[0], 1, unmount)));
        }
        self.step(&Step::End { fuel: 0 });
    }

    /// The kernel takes the messages out of the root package's queues, and
    /// gives up what it gets by them.
    fn empty_queues(&mut self) {
        for queue in held(&self.model, 0, Kind::Queue) {
            let receive = What::Receive { deadline: 0, window: 5_000 };
            let receive = deed(Call::QueueRecv, queue, 0, receive);
            while self.kernel(&receive) >= 0 {}
        }
        let held = self.model.tasks[&0].space.iter();
        let got: Vec<Handle> = held.filter(|it| it.1.depth() > 0).map(|it| it.0).collect();
        for region in got {
            self.kernel(&deed(Call::CapGrant, region, 2, What::TakeBack));
        }
        self.end_kernels();
    }

    fn nothing_is_left(&self) {
        let gate = &self.nucleus;
        for (who, task) in gate.tasks() {
            assert!(!task.state().is_alive(), "task {who:?} lives");
            assert_eq!(task.space.iter().count(), 0, "of task {who:?}");
        }
        // Queues of packages that nobody could unmount may hold something.
        let is_clean = self.model.objects.values().all(|it| match &it.body {
            Body::Queue(queue) => queue.messages.iter().all(|it| it.reference.is_none()),
            _ => true,
        });
        if !is_clean {
            assert!(packages(&self.model).count() > 0);
            return;
        }
        assert_eq!(gate.derived_from(), 0, "capabilities from which nothing descends");
        let inner = &self.model.inner;
        let mounted = packages(&self.model).count() * inner.objects.len();
        // The kernel holds each object of the root package, and a namespace.
        let own = self.model.tasks[&0].space.iter().count() - 1;
        let left = gate.objects().count() - WELL_KNOWN - own - mounted;
        assert_eq!(left, 0, "objects of nobody");
        for (_, object) in gate.objects() {
            let is_of_task = matches!(object.body, view::Body::Task(_) | view::Body::Proof(_));
            assert!(!is_of_task, "{object:?} stayed");
        }
        for (id, partition) in self.model.partitions.iter().enumerate() {
            let below = packages(&self.model).filter(|it| self.model.is_below(*it, id));
            let bytes = below.count() as u64 * inner.bytes;
            let has_bytes = !partition.is_mounted || partition.memory.used == bytes;
            assert!(has_bytes, "{partition:?} should have {bytes} bytes in use");
        }
    }
}

fn deed(call: Call, handle: Handle, operation: u32, what: What) -> Deed {
    Deed { call, handle, operation, fuel: 1 << 40, what: Ok(what) }
}

/// What a task holds of a kind and can use.
fn held(model: &Model, who: u32, kind: Kind) -> Vec<Handle> {
    let all = model.tasks[&who].space.iter();
    let live = all.filter(|(_, cap)| cap.kind == kind && model.is_live(cap).is_ok());
    live.map(|(handle, _)| handle).collect()
}

/// Those mounted inside the root package.
fn packages(model: &Model) -> impl Iterator<Item = usize> {
    let all = model.partitions.iter().enumerate().skip(1);
    all.filter(|(_, it)| it.is_mounted).map(|(id, _)| id)
}
