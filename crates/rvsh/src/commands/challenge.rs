//! `challenge`: a verifier's nonce into the log.

use witness::hex;

use crate::answer::{Action, Answer, Refusal};
use crate::command::{Command, Request};

pub(crate) const COMMAND: Command = Command {
    name: "challenge",
    arguments: "NONCE",
    help: "put a verifier's nonce into the log",
    details: "NONCE is 32 bytes as 64 hexadecimal digits, chosen by whoever will check the\n\
              log. It becomes an event, covered by a signed checkpoint: one that was\n\
              signed after the nonce was chosen, not kept from before.",
    json: false,
    completes: &[],
    run,
};

fn run(request: &Request<'_>) -> Result<Answer, Refusal> {
    let [text] = request.arguments[..] else { return Err(request.usage()) };
    let nonce = hex::decode::<32>(&text.to_ascii_lowercase()).ok_or_else(|| {
        let count = text.chars().count();
        Refusal(alloc::format!(
            "A nonce is 32 bytes, as 64 hexadecimal digits; these are {count} characters."
        ))
    })?;
    let log = request.view.nucleus().log();
    let index = log.size().saturating_add(log.pending() as u64);
    Ok(Answer::act(
        alloc::format!("The nonce becomes an event in the log, at record {index} or soon after."),
        Action::Challenge(nonce),
    ))
}

#[cfg(test)]
mod tests {
    use crate::{execute, sample::Sample};

    #[test]
    fn what_is_no_nonce_is_refused_with_what_one_is() {
        let said = |line| execute(line, &Sample::new());
        assert_eq!(said("challenge").text, "usage: challenge NONCE\n");
        let answer = said("challenge 00ff");
        assert_eq!(
            answer.text,
            "A nonce is 32 bytes, as 64 hexadecimal digits; these are 4 characters.\n"
        );
        assert_eq!(answer.action, None);
        let upper = "AB".repeat(32);
        assert!(said(&["challenge ", &upper].concat()).action.is_some());
    }
}
