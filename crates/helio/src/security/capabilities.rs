//! Capabilities that were given out and that nobody used.
//!
//! What a task was given shows in two places: the package says what its tasks
//! begin with, and the log has every grant. What it used shows in the calls
//! that name the handle. Some ways of using a capability leave no trace of the
//! handle: passing it to a task that is spawned, sending or mounting a region,
//! and spending a proof. Where one of these may have happened, nothing is said.

use abi::{Call, Kind, Operation, Rights};
use package::Manifest;
use package::manifest::CapabilityEntry;
use witness::record::{Body, CallBody, Record};
use witness::{Subject, Verdict};

use super::log::Records;
use super::{Findings, Severity};

/// Most findings of one kind; the rest is counted.
const MOST: usize = 20;

/// Looks for them.
pub(super) fn look(records: &Records<'_>, package: Option<&Manifest>, findings: &mut Findings) {
    let calls: Vec<_> = records
        .iter()
        .filter_map(|(index, record)| match record.body {
            Body::Call(call) => Some(Made { index: *index, record, call }),
            _ => None,
        })
        .collect();
    let mut unused = granted(&calls);
    if let Some(package) = package {
        unused.splice(0..0, initial(&calls, package));
    }
    unused.sort_by_key(|it| std::cmp::Reverse(severity(it.rights)));
    let more = unused.len().saturating_sub(MOST);
    for Unused { place, what, rights } in unused.into_iter().take(MOST) {
        findings.add(
            severity(rights),
            "unused-capability",
            place,
            format!("{what} ({}) was never used in this log", names(rights)),
            "take it out of the package or the program, unless a run exists that needs it",
        );
    }
    if more > 0 {
        findings.add(
            Severity::Info,
            "unused-capability",
            "the log",
            format!("{more} more capabilities were never used"),
            "mend those above first",
        );
    }
}

/// A call with its record.
struct Made<'a> {
    index: u64,
    record: &'a Record<'a>,
    call: CallBody<'a>,
}

impl Made<'_> {
    fn is_allowed(&self) -> bool {
        self.record.verdict == Verdict::Allowed
    }

    fn operation(&self) -> Option<Operation> {
        self.call.call.operation(self.call.operation)
    }

    /// Whether the call names a handle of its caller.
    fn names(&self, handle: u32) -> bool {
        let second = match (self.call.call, self.operation()) {
            // To whom is granted; which queue readings go to.
            (Call::CapGrant, Some(Operation::Grant)) | (Call::SensorSubscribe, _) => {
                Some(self.call.argument as u32)
            }
            _ => None,
        };
        self.call.handle.0 == handle || second == Some(handle)
    }

    /// Whether the call may have used some capability without naming it.
    fn may_hide(&self, kind: Option<Kind>, rights: Rights) -> bool {
        let is_kind = |wanted| kind.is_none_or(|kind| kind == wanted);
        match self.call.call {
            Call::TaskSpawn => rights.intersects(Rights::GRANT | Rights::GRANT_ONCE),
            Call::QueueSend => {
                self.operation() == Some(Operation::Reference) && is_kind(Kind::Region)
            }
            Call::RvfMount => is_kind(Kind::Region),
            _ => false,
        }
    }
}

/// A capability that nobody used.
struct Unused {
    place: String,
    what: String,
    rights: Rights,
}

/// Of those that the tasks of the package began with.
fn initial(calls: &[Made<'_>], package: &Manifest) -> Vec<Unused> {
    let mut unused = Vec::new();
    // The kernel starts the package's tasks, in their order, and no others.
    let spawns = calls
        .iter()
        .filter(|made| made.record.subject == Subject::KERNEL && made.call.call == Call::TaskSpawn);
    for (task, spawn) in package.tasks.iter().zip(spawns) {
        if spawn.call.tail.bytes() != task.component.as_bytes() {
            // Not the tasks of this package after all.
            break;
        }
        let number = u32::try_from(spawn.call.result).ok().filter(|_| spawn.is_allowed());
        let Some(number) = number else { continue };
        let own: Vec<_> = calls.iter().filter(|made| made.record.subject.0 == number).collect();
        for (slot, capability) in (0u32..).zip(&task.capabilities) {
            let CapabilityEntry { kind, name, rights } = capability;
            let is_used =
                own.iter().any(|made| made.names(slot) || made.may_hide(Some(*kind), *rights));
            if !is_used {
                unused.push(Unused {
                    place: format!("task {} (task {number}), handle {slot}", task.name),
                    what: format!("the capability for the {} {name}", kind.name()),
                    rights: *rights,
                });
            }
        }
    }
    unused
}

/// Of those that tasks gave each other.
fn granted(calls: &[Made<'_>]) -> Vec<Unused> {
    let is_grant = |made: &&Made<'_>| {
        made.call.call == Call::CapGrant
            && made.operation() == Some(Operation::Grant)
            && made.is_allowed()
    };
    let mut unused = Vec::new();
    for grant in calls.iter().filter(is_grant) {
        // A change names the record that minted its proof, not the handle.
        let mints = |made: &Made<'_>| {
            made.is_allowed()
                && made.operation() == Some(Operation::Approve)
                && made.record.subject == grant.record.subject
                && made.index < grant.index
                && made.call.result == i64::from(grant.call.handle.0)
        };
        if calls.iter().any(mints) {
            continue;
        }
        let Ok(handle) = u32::try_from(grant.call.result) else { continue };
        let rights = Rights::from_bits((grant.call.argument >> 32) as u8);
        // Whose the handle is is not in the record. Whoever uses it names
        // both the handle and the object.
        let uses = |made: &Made<'_>| {
            let is_it = made.names(handle)
                && (made.call.object == grant.call.object || made.call.handle.0 != handle);
            made.index > grant.index && (is_it || made.may_hide(None, rights))
        };
        if !calls.iter().any(uses) {
            unused.push(Unused {
                place: format!("record {}", grant.index),
                what: format!(
                    "the capability that {} granted for object {}",
                    grant.record.subject, grant.call.object
                ),
                rights,
            });
        }
    }
    unused
}

fn severity(rights: Rights) -> Severity {
    let strong = Rights::GRANT | Rights::MOUNT | Rights::PROVE | Rights::EXECUTE;
    if rights.intersects(strong) { Severity::Medium } else { Severity::Low }
}

fn names(rights: Rights) -> String {
    let has = |(right, _): &&(Rights, &str)| rights.contains(*right);
    let names: Vec<_> = Rights::NAMED.iter().filter(has).map(|(_, name)| *name).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use abi::Handle;
    use witness::record::Point;

    use super::*;

    fn call(subject: u32, body: CallBody<'static>) -> Record<'static> {
        Record {
            verdict: Verdict::Allowed,
            subject: Subject(subject),
            sequence: 0,
            point: Point::default(),
            previous: [0; 32],
            cause: None,
            body: Body::Call(body),
        }
    }

    /// Task 1 grants an object under a handle.
    fn grant(object: u32, handle: u32, rights: Rights) -> Record<'static> {
        let argument = u64::from(rights.bits()) << 32 | 5;
        let result = i64::from(handle);
        call(1, CallBody { object, argument, result, ..CallBody::new(Call::CapGrant) })
    }

    fn uses(call_: Call, object: u32, handle: u32) -> Record<'static> {
        call(2, CallBody { object, handle: Handle(handle), ..CallBody::new(call_) })
    }

    /// Places of the findings.
    fn found(records: Vec<Record<'_>>) -> Vec<String> {
        let records = (0..).zip(records).collect();
        let mut findings = Findings::default();
        look(&records, None, &mut findings);
        findings.sorted().into_iter().map(|finding| finding.place).collect()
    }

    #[test]
    fn a_grant_that_nobody_names_is_told() {
        let granted = grant(9, 3, Rights::READ);
        assert_eq!(found(vec![granted]), ["record 0"]);
        assert!(found(vec![granted, uses(Call::RegionMap, 9, 3)]).is_empty());
        // Another handle, another object, and a use before the grant.
        for other in [uses(Call::RegionMap, 9, 4), uses(Call::RegionMap, 8, 3)] {
            assert_eq!(found(vec![granted, other]), ["record 0"]);
        }
        assert_eq!(found(vec![uses(Call::RegionMap, 9, 3), granted]), ["record 1"]);
        let denied = Record { verdict: Verdict::Denied(abi::Error::TooDeep), ..granted };
        assert!(found(vec![denied]).is_empty());
    }

    #[test]
    fn nothing_is_said_where_a_use_may_leave_no_trace() {
        let granted = |rights| grant(9, 3, rights);
        let spawn = uses(Call::TaskSpawn, 1, 0);
        assert!(found(vec![granted(Rights::READ | Rights::GRANT), spawn]).is_empty());
        assert_eq!(found(vec![granted(Rights::READ), spawn]), ["record 0"]);
        // The giver's own handle of a proof that it minted.
        let minted = CallBody { operation: 1, result: 7, ..CallBody::new(Call::AttestEmit) };
        let proof = CallBody { handle: Handle(7), ..CallBody::new(Call::CapGrant) };
        assert!(found(vec![call(1, minted), call(1, proof)]).is_empty());
        assert_eq!(found(vec![call(2, minted), call(1, proof)]), ["record 1"]);
        let reference = CallBody { operation: 1, ..CallBody::new(Call::QueueSend) };
        assert!(found(vec![granted(Rights::READ), call(2, reference)]).is_empty());
    }

    #[test]
    fn the_worst_come_first_and_the_rest_is_counted() {
        let mut records: Vec<_> = (0..30).map(|handle| grant(9, handle, Rights::READ)).collect();
        records.push(grant(9, 30, Rights::MOUNT));
        let places = found(records);
        assert_eq!(places.len(), MOST + 1);
        assert_eq!(places.last().map(String::as_str), Some("the log"));
    }
}
