//! Both driven by the same steps, and compared after each.

use crate::{
    bench::{Asked, BENCH},
    deed::{BLANK, Deed, Event, Step, What},
    invariants::Watch,
    plain::{Life, Line, Model, Reply, Said, Seen, same},
};
use abi::profile::{call_fuel, data_fuel};
use nucleus::{Answer, Ending, Input, Nucleus, ObjectId};
use witness::{Body, Index, Record, Subject, Verdict, record::EventKind};

/// A gate and its model.
pub struct Drive {
    pub nucleus: Nucleus,
    pub model: Model,
    /// Whose slice is on, and the fuel that is left of it.
    pub on: Option<(u32, u64)>,
    /// Windows of calls that wait, by task.
    windows: std::collections::BTreeMap<u32, usize>,
    watch: Watch,
    /// Records that were compared.
    compared: u64,
    pub calls: usize,
    /// What the last call came to.
    pub value: i64,
}

impl Drive {
    pub fn new() -> Self {
        let (nucleus, model) = (BENCH.nucleus(), BENCH.model());
        let compared = model.next;
        let (on, windows) = (None, Default::default());
        let watch = Watch::default();
        let drive = Self { nucleus, model, on, windows, watch, compared, calls: 0, value: 0 };
        same(&Seen::of(&drive.nucleus), &drive.model.state(), &"at the start");
        drive
    }

    /// Does a step in both. Says whether it came to anything.
    pub fn step(&mut self, step: &Step) -> bool {
        match (step, self.on) {
            (Step::Begin, None) => return self.begin(),
            (Step::Event(event), None) => self.event(event),
            (Step::Call(deed), Some((who, left))) => self.call(deed, who, left),
            (Step::End { fuel }, Some((who, left))) => {
                self.spend(who, (*fuel).min(left));
                self.end_slice(who);
            }
            (Step::Exit(code), Some((who, _))) => {
                let ending = Ending::Exit { code: *code, pages: 1, root: [5; 32] };
                self.nucleus.end(Subject(who), ending);
                self.model.exit(who, *code);
                self.end_slice(who);
            }
            _ => return false,
        }
        self.compare(step);
        true
    }

    fn begin(&mut self) -> bool {
        if !self.nucleus.has_room() {
            self.nucleus.log_mut().seal(&mut |_, _| ());
        }
        self.model.wake();
        let Some(grant) = self.nucleus.begin_slice() else {
            self.ended_without_fuel();
            let runs = self.model.tasks.keys().find(|who| self.model.can_run(**who));
            assert_eq!(runs, None, "nobody was chosen");
            assert_eq!(self.nucleus.earliest(), self.model.earliest());
            let Some(until) = self.nucleus.jump() else { return false };
            self.model.now = self.model.now.max(until);
            self.compare(&Step::Begin);
            return true;
        };
        self.ended_without_fuel();
        let who = grant.subject.0;
        assert!(grant.fuel > 0 && grant.fuel <= self.model.allowance(who));
        let before = self.model.tasks[&who].life;
        self.model.begin_slice(who);
        self.on = Some((who, grant.fuel));
        let answer = self.model.tasks.get_mut(&who).unwrap().answer.take();
        assert_eq!(self.nucleus.take_answer(Subject(who)), answer);
        if let Life::Waiting(_, Some(_)) = before {
            self.receive(who);
        }
        self.compare(&Step::Begin);
        true
    }

    /// Those that the gate has ended because they had no fuel.
    fn ended_without_fuel(&mut self) {
        for index in self.model.next..self.nucleus.log().next().0 {
            let entry = self.nucleus.log().entry(Index(index)).unwrap();
            let record = entry.record().unwrap();
            if let Body::OutOfFuel(_) = record.body {
                let who = record.subject.0;
                assert_eq!(self.model.allowance(who), 0, "task {who} had fuel");
                self.model.end_by_fuel(who);
                self.model.bury();
            }
        }
    }

    fn receive(&mut self, who: u32) {
        let length = self.windows.remove(&who).unwrap();
        let mut window = vec![BLANK; length];
        let answer = self.nucleus.receive(Subject(who), u64::MAX, Ok(&mut window));
        let expected = self.model.receive(who, length, &Asked(&self.nucleus));
        self.answered(who, &answer, expected, &window, None);
    }

    fn event(&mut self, event: &Event) {
        let proof;
        let input = match event {
            Event::Stop => Input::new(EventKind::Stop, &[]),
            Event::Resume => Input::new(EventKind::Resume, &[]),
            Event::Shutdown => Input::new(EventKind::Shutdown, &[]),
            Event::Reading(bytes) => Input::reading(ObjectId(self.model.sensor), bytes),
            Event::Typed(bytes) => Input::new(EventKind::ConsoleInput, bytes),
            Event::Approval(signed) => {
                proof = signed.to_bytes();
                Input::new(EventKind::Approval, &proof)
            }
        };
        if self.nucleus.log().room() < 32 {
            self.nucleus.log_mut().seal(&mut |_, _| ());
        }
        self.nucleus.admit(input).unwrap();
        self.model.event(event);
    }

    /// An event, without sealing the log before.
    pub fn admit_unsealed(&mut self, event: &Event) {
        let Event::Typed(bytes) = event else { panic!("not meant for {event:?}") };
        self.nucleus.admit(Input::new(EventKind::ConsoleInput, bytes)).unwrap();
    }

    fn call(&mut self, deed: &Deed, who: u32, left: u64) {
        let price = call_fuel(deed.call);
        if left < price {
            if left >= self.model.allowance(who) {
                self.nucleus.end(Subject(who), Ending::OutOfFuel);
                self.model.end_by_fuel(who);
            }
            return self.end_slice(who);
        }
        self.spend(who, price);
        let before = Seen::of(&self.nucleus);
        let mut window = deed.window();
        let answer = BENCH.call(&mut self.nucleus, who, deed, &mut window);
        let expected = self.model.call(who, deed, &Asked(&self.nucleus));
        self.calls += 1;
        if let Ok(What::Receive { window, .. }) = &deed.what
            && expected == Reply::Blocked
        {
            self.windows.insert(who, *window);
        }
        self.answered(who, &answer, expected, &window, Some(before));
    }

    /// Compares the answers, and charges what the call cost beside its price.
    fn answered(
        &mut self,
        who: u32,
        answer: &Answer,
        expected: Reply,
        window: &[u8],
        before: Option<Seen>,
    ) {
        match (answer, expected) {
            (Answer::Done { value, fuel }, Reply::Value(expected, bytes)) => {
                self.value = *value;
                assert_eq!(*value, expected, "{} expected {}", told(*value), told(expected));
                let (filled, rest) = window.split_at(bytes.len());
                assert_eq!(filled, bytes, "what is in the window");
                assert!(rest.iter().all(|byte| *byte == BLANK), "the window, beyond");
                if let Some(before) = before.filter(|_| *value < 0) {
                    self.is_unchanged(before);
                }
                let most = 4_000_000 + data_fuel(window.len() as u64);
                assert!(*fuel <= most, "the call cost {fuel}");
                self.spend(who, *fuel);
            }
            (Answer::Blocked, Reply::Blocked) | (Answer::Ended, Reply::Ended) => {
                self.end_slice(who);
            }
            (Answer::NextSlice, Reply::NextSlice) => self.end_slice(who),
            (answer, expected) => panic!("{answer:?}, expected {expected:?}"),
        }
    }

    /// A denial changes nothing, but for dead capabilities that were cleared
    /// away, and the record that it costs.
    fn is_unchanged(&self, mut before: Seen) {
        let mut after = Seen::of(&self.nucleus);
        for (who, handle) in self.model.dead() {
            after.held.remove(&(who, handle));
        }
        before.held.retain(|key, _| after.held.contains_key(key) || !self.was_dead(key));
        for (before, after) in before.partitions.iter_mut().zip(&after.partitions) {
            before.meters[2].1 = after.meters[2].1;
        }
        (before.holders, before.derived_from) = (after.holders.clone(), after.derived_from);
        same(&after, &before, &"a denial changed something");
    }

    /// Whether what was behind this handle is dead, or gone because it was.
    fn was_dead(&self, (who, handle): &(u32, u32)) -> bool {
        let space = &self.model.tasks[who].space;
        space.get(abi::Handle(*handle)).is_err() || self.model.dead().contains(&(*who, *handle))
    }

    /// A call of the kernel's own. Gives the answer.
    pub fn kernel(&mut self, deed: &Deed) -> i64 {
        self.call(deed, 0, u64::MAX);
        self.compare(&Step::Call(deed.clone()));
        self.value
    }

    /// What the kernel's calls have let go of goes.
    pub fn end_kernels(&mut self) {
        self.end_slice(0);
        self.compare(&Step::End { fuel: 0 });
    }

    fn spend(&mut self, who: u32, fuel: u64) {
        self.nucleus.spend(Subject(who), fuel);
        self.model.spend(who, fuel);
        if let Some((_, left)) = &mut self.on {
            *left = left.saturating_sub(fuel);
        }
    }

    fn end_slice(&mut self, who: u32) {
        self.nucleus.end_slice(Subject(who), 0);
        self.nucleus.take_effects();
        self.model.end_slice(who);
        self.on = None;
    }

    /// Ends the log: its size and its root, which commits to all its bytes.
    pub fn seal(&mut self) -> (u64, witness::Hash) {
        let log = self.nucleus.log_mut();
        log.seal(&mut |_, _| ());
        (log.size(), log.root())
    }

    /// Everything that can be seen, and every record since the last time.
    fn compare(&mut self, step: &Step) {
        let lines = std::mem::take(&mut self.model.lines);
        assert_eq!(self.nucleus.log().next().0, self.model.next, "records after {step:?}");
        for (index, line) in lines {
            assert_eq!(index, self.compared);
            self.compared += 1;
            let entry = self.nucleus.log().entry(Index(index)).unwrap();
            let record = entry.record().unwrap();
            let found = found(&record, entry.previous(), entry.cause());
            assert_eq!(found, line, "record {index}");
            assert_eq!(record.verdict.stage(), stage(record.verdict));
        }
        same(&Seen::of(&self.nucleus), &self.model.state(), step);
        self.watch.look(&self.model);
    }
}

fn told(value: i64) -> String {
    abi::Error::from_guest(value).map_or(format!("{value}"), |error| format!("{error:?}"))
}

fn stage(verdict: Verdict) -> abi::Stage {
    verdict.reason().map_or(abi::Stage::None, |error| error.stage())
}

/// A record of the log, in the model's words.
fn found(record: &Record<'_>, previous: Option<Index>, cause: Option<Index>) -> Line {
    let subject = record.subject.0;
    match record.body {
        Body::Call(body) => Line::Call(Said {
            subject,
            sequence: record.sequence,
            time: record.point.time_ns,
            fuel: record.point.fuel,
            previous: previous.map(|index| index.0),
            cause: cause.map(|index| index.0),
            verdict: record.verdict,
            call: body.call,
            handle: body.handle,
            operation: body.operation,
            object: body.object,
            badge: body.badge,
            length: body.length,
            argument: body.argument,
            result: body.result,
            digest: body.digest,
            tail: body.tail.bytes().to_vec(),
        }),
        Body::Event(_) => Line::Event,
        Body::Exit(exit) => Line::Exit { subject, code: exit.code },
        Body::StateRoot(_) => Line::StateRoot { subject },
        Body::OutOfFuel(it) => Line::OutOfFuel { subject, given: it.budget, spent: it.spent },
        Body::BudgetSpent(it) => Line::RecordsSpent { subject, limit: it.limit },
        Body::Guard(it) => {
            Line::Guard { subject, store: it.store, allowed: it.allowed, component: it.component }
        }
        ref body => panic!("a record of {body:?}"),
    }
}
