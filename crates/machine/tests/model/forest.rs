//! The forest of descent is one for the whole machine, and so can be filled.

use crate::{
    bench::BENCH,
    deed::{Deed, What},
};
use abi::{
    Call, Error, GrantArguments, Handle, Rights, SpawnArguments,
    profile::{CAPABILITIES, SLICE_RECORDS},
};
use nucleus::{Answer, Nucleus};
use witness::Subject;

const DATA: Handle = Handle(11);
const PROGRAM: Handle = Handle(9);

/// Nodes that there are.
const NODES: usize = 32_768;

/// A call by a task in whose slice there is room, with its answer.
pub fn ask(
    gate: &mut Nucleus,
    who: u32,
    (call, operation, handle): (Call, u32, Handle),
    what: What,
) -> Result<Handle, Error> {
    let deed = Deed { call, handle, operation, fuel: 1 << 40, what: Ok(what) };
    match BENCH.call(gate, who, &deed, &mut deed.window()) {
        Answer::Done { value, .. } => match Error::from_guest(value) {
            Some(error) => Err(error),
            None => Ok(Handle(u32::try_from(value).unwrap())),
        },
        answer => panic!("{answer:?}"),
    }
}

fn grant(gate: &mut Nucleus, who: u32, of: Handle, to: Handle) -> Result<Handle, Error> {
    let rights = Rights::READ | Rights::WRITE | Rights::GRANT;
    let held = gate.task(Subject(who)).unwrap().space.get(of).unwrap().rights;
    let (badge, expiry, uses) = (0, u64::MAX, u32::MAX);
    let terms = GrantArguments { to, rights: rights.intersection(held), badge, expiry, uses };
    ask(gate, who, (Call::CapGrant, 0, of), What::Grant(terms))
}

pub fn spawn(gate: &mut Nucleus, passed: &[Handle]) -> Result<Handle, Error> {
    let capabilities = passed.len() as u32;
    let (fuel, memory, priority, deadline) = (1 << 30, 0, 0, u64::MAX);
    let start =
        SpawnArguments { fuel, memory, priority, deadline, capabilities, is_reactor: false };
    let passed = passed.iter().flat_map(|handle| handle.0.to_le_bytes()).collect();
    ask(gate, 1, (Call::TaskSpawn, 0, PROGRAM), What::Spawn { start, passed, prepared: Ok(()) })
}

/// A slice of this task's; those of others come to nothing.
pub fn turn(gate: &mut Nucleus, who: u32) {
    loop {
        gate.log_mut().seal(&mut |_, _| ());
        let grant = gate.begin_slice().unwrap();
        if grant.subject == Subject(who) {
            return;
        }
        gate.spend(grant.subject, 1_000);
        gate.end_slice(grant.subject, 0);
    }
}

/// Fills the slots of a task with the last of lines as long as they may be,
/// of which only the last is kept, while there is room in the forest. Its own
/// task is its handle 0, and 1 has been granted to it.
fn grow(gate: &mut Nucleus, who: u32) -> Result<(), Error> {
    let held = |gate: &Nucleus| gate.task(Subject(who)).unwrap().space.iter().count();
    // There is a further one while a line grows.
    let has_room = |gate: &Nucleus| held(gate) + 1 < CAPABILITIES;
    while has_room(gate) {
        turn(gate, who);
        for _ in 0..SLICE_RECORDS / 16 {
            if !has_room(gate) {
                break;
            }
            let mut last = grant(gate, who, Handle(1), Handle(0))?;
            for _ in 3..=8 {
                let next = grant(gate, who, last, Handle(0))?;
                ask(gate, who, (Call::CapGrant, 2, last), What::TakeBack)?;
                last = next;
            }
        }
        gate.end_slice(Subject(who), 0);
    }
    Ok(())
}

#[test]
fn a_full_forest_of_descent_refuses_and_nothing_comes_of_it() {
    let mut gate = BENCH.nucleus();
    let full = loop {
        turn(&mut gate, 1);
        let task = spawn(&mut gate, &[]).unwrap();
        let who = gate.tasks().last().unwrap().0.0;
        grant(&mut gate, 1, task, task).unwrap();
        grant(&mut gate, 1, DATA, task).unwrap();
        ask(&mut gate, 1, (Call::CapGrant, 2, task), What::TakeBack).unwrap();
        gate.end_slice(Subject(1), 0);
        if let Err(error) = grow(&mut gate, who) {
            gate.end_slice(Subject(who), 0);
            break error;
        }
    };
    assert_eq!((full, gate.derived_from()), (Error::TableFull, NODES));
    // What has a node can still be passed on; what has none cannot, and the
    // child is not started without it.
    turn(&mut gate, 1);
    let held = gate.task(Subject(1)).unwrap().space.iter().count();
    let tasks = gate.tasks().count();
    let refused = spawn(&mut gate, &[DATA, Handle(5)]);
    assert_eq!(refused, Err(Error::TableFull));
    assert_eq!(gate.task(Subject(1)).unwrap().space.iter().count(), held);
    assert_eq!(gate.tasks().count(), tasks);
    spawn(&mut gate, &[DATA]).unwrap();
    let child = gate.tasks().last().unwrap().1;
    let (_, passed) = child.space.iter().next().unwrap();
    assert_eq!(gate.is_live(passed), Ok(()));
}
