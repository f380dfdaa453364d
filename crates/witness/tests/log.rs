//! The log: slots, order, parents.

use crate::common::{HASHER, Machine, call, facts};
use abi::Call;
use proptest::prelude::*;
use witness::{
    Index, Log, Subject,
    record::{Body, Draft, Exit, Record},
    tree,
};

fn draft() -> Draft<'static> {
    Machine::boot(facts()).draft(Subject(1), None, Body::Exit(Exit { code: 0, pages: 1 }))
}

#[test]
fn a_slot_is_taken_once_and_given_back() {
    let mut log = Log::new(HASHER, 2);
    let first = log.reserve().unwrap();
    let second = log.reserve().unwrap();
    assert!(log.reserve().is_none());
    log.release(second);
    let third = log.reserve().unwrap();
    assert_eq!(log.write(first, &draft()), Index(0));
    assert_eq!((log.pending(), log.reserved(), log.room()), (1, 1, 0));
    assert!(log.reserve().is_none(), "written records hold their slots until sealed");
    log.seal(&mut |_, _| ());
    assert_eq!((log.pending(), log.reserved(), log.room()), (0, 1, 1));
    assert_eq!(log.write(third, &draft()), Index(1));
}

#[test]
fn a_subjects_first_record_descends_from_the_genesis_and_leaf_1_has_no_children() {
    let mut machine = Machine::boot(facts());
    let kernel = machine.write(Subject::KERNEL, None, Body::Call(call(Call::RvfMount, 1)));
    let task = machine.write(Subject(1), Some(kernel), Body::Call(call(Call::TimerWait, 2)));
    let next = machine.write(Subject(1), None, Body::Exit(Exit { code: 0, pages: 1 }));
    machine.seal();
    let id = |index| machine.log.id(index).unwrap();
    let record = |Index(index)| Record::decode(&machine.entries[index as usize]).unwrap();
    assert_eq!(record(Index(0)).previous, [0; 32]);
    assert_eq!(record(Index(1)).previous, id(Index(0)));
    assert_eq!(record(kernel).previous, id(Index(0)));
    assert_eq!(record(task).previous, id(Index(0)));
    assert_eq!(record(task).cause, Some(id(kernel)));
    assert_eq!(record(next).previous, id(task));
    assert_eq!(record(next).cause, None);
}

#[test]
fn the_last_records_can_be_looked_at_before_and_after_sealing() {
    let mut machine = Machine::boot(facts());
    for _ in 0..30 {
        machine.write(Subject(1), Some(Index(0)), Body::Call(call(Call::QueueSend, 1)));
    }
    let log = &machine.log;
    assert_eq!(log.recent(100).count(), 16, "as many as there are slots");
    assert_eq!(log.recent(3).map(|entry| entry.index.0).collect::<Vec<_>>(), [29, 30, 31]);
    assert!(log.entry(Index(15)).is_none(), "overwritten");
    assert!(log.entry(Index(32)).is_none(), "not there yet");
    let entry = log.entry(Index(31)).unwrap();
    assert!(!entry.is_sealed());
    assert_eq!(entry.cause(), Some(Index(0)));
    assert_eq!(entry.record().unwrap().previous, [0; 32], "no ids before sealing");
    machine.seal();
    let entry = machine.log.entry(Index(31)).unwrap();
    assert_eq!(entry.id, machine.log.id(Index(31)));
    assert_eq!(entry.bytes(), machine.entries[31]);
}

proptest! {
    #[test]
    fn when_it_is_sealed_changes_nothing(seals in proptest::collection::vec(any::<bool>(), 40)) {
        let write = |seals: &[bool]| {
            let mut machine = Machine::boot(facts());
            for (turn, &seal) in (1u64..).zip(seals) {
                let subject = Subject((turn % 3) as u32 + 1);
                machine.write(subject, Some(Index(turn)), Body::Call(call(Call::QueueSend, 1)));
                if seal {
                    machine.seal();
                }
            }
            machine.seal();
            machine
        };
        let (a, b) = (write(&seals), write(&[false; 40]));
        prop_assert_eq!(&a.entries, &b.entries);
        let ids: Vec<_> = b.log.ids().copied().collect();
        prop_assert_eq!(a.log.root(), tree::root(HASHER, &ids));
        prop_assert_eq!(a.log.size(), 42);
    }
}
