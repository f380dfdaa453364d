//! The clients' side of the two services.

use crate::protocol::{Ask, Done, Granted, Place, Put, Vector, Wish, kind, vector_to_bytes, word};
use sdk::{EVER, Error, Handle, MESSAGE_HEAD, Message, Neighbours, Queue, Timer};

/// Room for any answer.
pub const WINDOW: usize = MESSAGE_HEAD + 128;

/// How long a client waits when a service's queue is full, in ns.
const FULL_WAIT_NS: u64 = 1_000_000;

/// What a client needs to speak to the services.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// Where the prover is asked.
    pub prover: Queue,
    /// Where the memory service is asked.
    pub memory: Queue,
    /// Where both answer.
    pub answers: Queue,
    /// To wait when a queue is full.
    pub timer: Timer,
}

impl Client {
    /// Waits for the planner's word in `inbox`, and for the memory service's
    /// in `answers`, which may be the same queue.
    ///
    /// # Errors
    /// Any refusal of a queue.
    pub fn begin(inbox: Queue, answers: Queue, prover: Queue, timer: Timer) -> Result<Self, Error> {
        let mut window = [0; WINDOW];
        let (mut may_go, mut memory) = (false, None);
        loop {
            match memory {
                Some(memory) if may_go => return Ok(Self { prover, memory, answers, timer }),
                _ => {}
            }
            // Before the word is there, the answers may not have been granted.
            let queue = if may_go { answers } else { inbox };
            let message = queue.receive(EVER, &mut window)?;
            match message.kind {
                kind::GO => may_go = true,
                kind::INTRODUCE => memory = word(message.bytes(), 0).map(|it| Queue(Handle(it))),
                _ => {}
            }
        }
    }

    /// Asks the prover for a proof.
    ///
    /// # Errors
    /// Any refusal of a queue; [`Error::BadLength`] for no answer.
    pub fn ask(&self, place: Place, expiry: u64, wish: Wish) -> Result<Granted, Error> {
        let mut window = [0; WINDOW];
        let ask = Ask { place, expiry, wish };
        self.send(self.prover, kind::ASK, &ask.to_bytes())?;
        let answer = self.answer(kind::GRANTED, &mut window)?;
        Granted::from_bytes(answer.bytes()).ok_or(Error::BadLength)
    }

    /// Has the memory service write.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub fn put(&self, put: &Put) -> Result<Done, Error> {
        let mut window = [0; WINDOW];
        self.send(self.memory, kind::PUT, &put.to_bytes())?;
        let answer = self.answer(kind::DONE, &mut window)?;
        Done::from_bytes(answer.bytes()).ok_or(Error::BadLength)
    }

    /// Has the memory service look for the nearest.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub fn nearest<'w>(
        &self,
        query: &Vector,
        window: &'w mut [u8; WINDOW],
    ) -> Result<Neighbours<'w>, Error> {
        self.send(self.memory, kind::NEAREST, &vector_to_bytes(query))?;
        let answer = self.answer(kind::NEIGHBOURS, window)?;
        Neighbours::parse(answer.bytes()).ok_or(Error::BadLength)
    }

    /// Sends, and waits while the queue is full.
    ///
    /// # Errors
    /// Any other refusal.
    pub fn send(&self, queue: Queue, kind: u32, message: &[u8]) -> Result<(), Error> {
        loop {
            match queue.send(kind, 0, message) {
                Err(Error::QueueFull) => self.timer.wait(FULL_WAIT_NS).map(drop)?,
                result => return result,
            }
        }
    }

    /// The next answer of this type; others are of questions given up.
    fn answer<'w>(&self, kind: u32, window: &'w mut [u8]) -> Result<Message<'w>, Error> {
        loop {
            let (found, length) = {
                let message = self.answers.receive(EVER, window)?;
                (message.kind, message.bytes().len())
            };
            if found == kind {
                return Message::parse(window.get(..MESSAGE_HEAD + length).unwrap_or_default())
                    .ok_or(Error::BadLength);
            }
        }
    }
}
