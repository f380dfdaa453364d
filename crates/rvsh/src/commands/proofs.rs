//! `proofs`: approvals that tasks gave and nobody has used yet.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use ::witness::Subject;
use ::witness::json::{Object, Value};
use nucleus::ObjectId;
use nucleus::capability::NEVER;
use nucleus::view::{Body, Minted};

use crate::answer::{Answer, Refusal};
use crate::command::{Command, Request};
use crate::commands::{ROWS, Short, expiry, more, optional};
use crate::table::{Align, Table};
use crate::view::{View, entry, object_name, subject_label, subject_name};

pub(crate) const COMMAND: Command = Command {
    name: "proofs",
    arguments: "",
    help: "approvals that tasks gave and nobody used yet",
    details: "One row a proof that a task minted: its number, the store and slot it is for,\n\
              the beginning of the SHA-256 of the change it approves, the logical time\n\
              from which it is void, how much hangs on the slot (0 to 255), the record of\n\
              the approval and who gave it, if that is still in memory, and who holds it.",
    json: true,
    completes: &[],
    run,
};

fn run(request: &Request<'_>) -> Result<Answer, Refusal> {
    request.no_arguments()?;
    let view = request.view;
    let nucleus = view.nucleus();
    let proofs = || {
        nucleus.objects().filter_map(|(id, object)| match &object.body {
            Body::Proof(minted) if !minted.used => Some((id, minted)),
            _ => None,
        })
    };
    if request.json {
        return Ok(Answer::json(
            &proofs().take(ROWS).map(|(id, minted)| json(view, id, minted)).collect(),
        ));
    }
    if proofs().next().is_none() {
        return Ok(Answer::text("There are no proofs that nobody has used.\n".into()));
    }
    let mut table = Table::new(&[
        ("proof", Align::Right),
        ("store", Align::Left),
        ("slot", Align::Right),
        ("change", Align::Left),
        ("void from", Align::Right),
        ("risk", Align::Right),
        ("record", Align::Right),
        ("approved by", Align::Left),
        ("held by", Align::Left),
    ]);
    for (id, minted) in proofs().take(ROWS) {
        let who = approver(view, minted).map(|subject| subject_label(nucleus, subject));
        let void = match minted.expiry <= nucleus.clock().now_ns() {
            true => "void".into(),
            false => expiry(minted.expiry),
        };
        table.row([
            id.0.to_string(),
            store(view, minted),
            minted.slot.to_string(),
            Short(&minted.mutation).to_string(),
            void,
            minted.risk.to_string(),
            minted.approval.0.to_string(),
            who.unwrap_or_else(|| "-".into()),
            holders(view, id).join(", "),
        ]);
    }
    Ok(Answer::text(table.render() + &more(proofs().count(), "proof")))
}

fn store(view: &dyn View, minted: &Minted) -> String {
    let number = minted.object.0;
    let name = object_name(view.nucleus(), number).map(String::from);
    name.unwrap_or_else(|| alloc::format!("store {number}, gone"))
}

/// Who gave the approval, as its record says.
fn approver(view: &dyn View, minted: &Minted) -> Option<Subject> {
    Some(entry(view, minted.approval.0)?.record.ok()?.subject)
}

/// The tasks with a capability for it; on its way in a message it has none.
fn holders(view: &dyn View, proof: ObjectId) -> Vec<String> {
    let nucleus = view.nucleus();
    let tasks =
        nucleus.tasks().filter(|(_, task)| task.space.iter().any(|(_, it)| it.object == proof));
    tasks.map(|(subject, _)| subject_label(nucleus, subject)).collect()
}

fn json(view: &dyn View, id: ObjectId, minted: &Minted) -> Value {
    let approver = approver(view, minted);
    let name = approver.map(|subject| subject_name(view.nucleus(), subject));
    let expires = Some(minted.expiry).filter(|ns| *ns != NEVER);
    let holders: Value = holders(view, id).into_iter().map(Value::from).collect();
    Object::new()
        .with("approved_by", optional(approver.map(|subject| subject.0)))
        .with("approved_by_name", optional(name))
        .with("expires_ns", optional(expires.map(Value::decimal)))
        .with("held_by", holders)
        .with("mutation", Value::hex(&minted.mutation))
        .with("number", id.0)
        .with("old_leaf", Value::hex(&minted.old_leaf))
        .with("record", crate::commands::number(minted.approval.0))
        .with("risk", minted.risk)
        .with("slot", minted.slot)
        .with("store", store(view, minted))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::sample::{PLACES, ROADS, Sample, WORKER};

    #[test]
    fn a_proof_is_listed_until_it_is_used() {
        let mut sample = Sample::quiet();
        assert_eq!(sample.said("proofs"), "There are no proofs that nobody has used.\n");
        sample.slice(WORKER, |it| {
            // Approves and puts: nothing is left of that proof.
            it.put(1, 0, [1.0, 2.0]);
            it.approve(PLACES, 3, b"a change", u64::MAX);
            it.approve(ROADS, 5, b"another", 3_000_000);
        });
        assert_eq!(
            sample.said("proofs"),
            "\
proof  store   slot  change         void from  risk  record  approved by  held by
   19  places     3  aeb303f24373       never     0       9  worker (1)   worker (1)
   20  roads      5  ae448ac86c4e  0.003000 s     0      10  worker (1)   worker (1)
"
        );
        assert_eq!(
            sample.said("proofs -j"),
            concat!(
                r#"[{"approved_by":1,"approved_by_name":"worker","expires_ns":null,"held_by":["#,
                r#""worker (1)"],"#,
                r#""mutation":"aeb303f24373a3b607cad1c529094e197b76e8cf9e2668e7611e86233c3c0b09","#,
                r#""number":19,"#,
                r#""old_leaf":"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d","#,
                r#""record":9,"risk":0,"slot":3,"store":"places"},{"approved_by":1,"#,
                r#""approved_by_name":"worker","expires_ns":"3000000","held_by":["worker (1)"],"#,
                r#""mutation":"ae448ac86c4e8e4dec645729708ef41873ae79c6dff84eff73360989487f08e5","#,
                r#""number":20,"#,
                r#""old_leaf":"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d","#,
                r#""record":10,"risk":0,"slot":5,"store":"roads"}]"#,
                "\n"
            )
        );
    }
}
