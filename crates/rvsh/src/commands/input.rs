//! `type`, `feed` and `approve`: input for the tasks, each an event.

use alloc::string::String;
use alloc::vec::Vec;

use abi::SignedProof;
use witness::hex;

use crate::answer::{Action, Answer, Refusal};
use crate::command::{Argument, Command};

pub(crate) const TYPE: Command = Command {
    name: "type",
    arguments: "TEXT...",
    help: "give a line of text to the tasks",
    details: "The words, with one blank between two and a line feed after the last, become\n\
              an event and a message in the queue `console-input`.",
    json: false,
    completes: &[],
    run: |request| {
        if request.arguments.is_empty() {
            return Err(request.usage());
        }
        let mut line = request.arguments.join(" ");
        line.push('\n');
        Ok(Answer::act("The line becomes an event in the log.", Action::Type(line)))
    },
};

pub(crate) const FEED: Command = Command {
    name: "feed",
    arguments: "SENSOR READING",
    help: "give a sensor's reading to its subscribers",
    details: "SENSOR is one that the package declares. READING is a word, or bytes as 0x\n\
              and hexadecimal digits. It becomes an event in the log, marked as typed.",
    json: false,
    completes: &[Argument::Sensor],
    run: |request| {
        let [sensor, reading] = request.arguments[..] else { return Err(request.usage()) };
        let reading = match reading.strip_prefix("0x") {
            Some(digits) => bytes(digits)?,
            None => reading.as_bytes().to_vec(),
        };
        let action = Action::Feed { sensor: String::from(sensor), reading };
        Ok(Answer::act("The reading becomes an event in the log.", action))
    },
};

pub(crate) const APPROVE: Command = Command {
    name: "approve",
    arguments: "PROOF",
    help: "hand a signed proof to the tasks",
    details: "PROOF is what `helio approve` writes, 216 bytes as 432 hexadecimal digits. It\n\
              becomes an event and a message in the queue `approvals`. Handing it over\n\
              approves nothing: its signature is looked at when a task uses it.",
    json: false,
    completes: &[],
    run: |request| {
        let [digits] = request.arguments[..] else { return Err(request.usage()) };
        let proof = bytes(digits)?;
        let proof = <[u8; SignedProof::SIZE]>::try_from(proof.as_slice()).map_err(|_| {
            let (count, size) = (proof.len(), SignedProof::SIZE);
            Refusal(alloc::format!("A signed proof has {size} bytes; these are {count}."))
        })?;
        Ok(Answer::act("The proof becomes an event in the log.", Action::Approve(proof)))
    },
};

fn bytes(digits: &str) -> Result<Vec<u8>, Refusal> {
    let digits = digits.to_ascii_lowercase();
    let pairs = digits.as_bytes().chunks(2);
    let decoded = pairs.map(|pair| {
        let pair = core::str::from_utf8(pair).ok()?;
        hex::decode::<1>(pair).map(|[byte]| byte)
    });
    let decoded: Option<Vec<u8>> = decoded.collect();
    decoded.ok_or_else(|| Refusal("These are not pairs of hexadecimal digits.".into()))
}

#[cfg(test)]
mod tests {
    use crate::{Action, execute, sample::Sample};

    #[test]
    fn input_is_taken_as_it_is_meant() {
        let action = |line: &str| execute(line, &Sample::new()).action;
        assert_eq!(action("type  hello   world"), Some(Action::Type("hello world\n".into())));
        let feed = |reading: &[u8]| {
            Some(Action::Feed { sensor: "thermometer".into(), reading: reading.to_vec() })
        };
        assert_eq!(action("feed thermometer 21.5"), feed(b"21.5"));
        assert_eq!(action("feed thermometer 0x00FF"), feed(&[0, 0xff]));
        for bad in ["type", "feed x", "feed x 0x0", "feed x 0xzz", "approve 00ff", "approve zz"] {
            assert_eq!(action(bad), None, "{bad}");
        }
        assert_eq!(
            action(&["approve ", &"ab".repeat(216)].concat()),
            Some(Action::Approve([0xab; 216]))
        );
    }
}
