//! Sensors: readings from outside, passed on to who subscribed.

use crate::capability::Capability;
use crate::snapshot::saved;
use abi::Error;
use alloc::boxed::Box;
use witness::Subject;

/// Most subscriptions to one sensor.
const SUBSCRIPTIONS: usize = 16;

/// A source of readings.
#[derive(Debug)]
pub struct Sensor {
    subscriptions: Box<[Option<Subscription>]>,
}

/// Where readings go, for as long as both capabilities hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Subscription {
    pub(crate) subscriber: Subject,
    /// For the sensor.
    pub(crate) source: Capability,
    /// For the queue.
    pub(crate) queue: Capability,
}

impl Sensor {
    /// Bytes of memory that one takes.
    pub(crate) const COST: u64 = (SUBSCRIPTIONS * size_of::<Option<Subscription>>()) as u64;

    /// A sensor that nobody listens to yet.
    pub(crate) fn new() -> Self {
        Self { subscriptions: alloc::vec![None; SUBSCRIPTIONS].into() }
    }

    /// Puts one in the place of this number, which is empty.
    ///
    /// # Errors
    /// [`Error::TableFull`] where there is no such place.
    pub(crate) fn subscribe(
        &mut self,
        number: usize,
        subscription: Subscription,
    ) -> Result<(), Error> {
        *self.subscriptions.get_mut(number).ok_or(Error::TableFull)? = Some(subscription);
        Ok(())
    }

    /// The subscription of this number, from 0; none beyond the last.
    pub(crate) fn subscription(&self, number: usize) -> Option<Option<Subscription>> {
        self.subscriptions.get(number).copied()
    }

    /// Counts a reading that arrived: it is a use of both capabilities.
    pub(crate) fn count(&mut self, number: usize) {
        if let Some(Some(subscription)) = self.subscriptions.get_mut(number) {
            subscription.source.spend_uses(1);
            subscription.queue.spend_uses(1);
        }
    }

    /// Ends one.
    pub(crate) fn unsubscribe(&mut self, number: usize) -> Option<Subscription> {
        self.subscriptions.get_mut(number)?.take()
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Subscription> {
        self.subscriptions.iter().flatten()
    }

    /// How many there are.
    pub fn subscribers(&self) -> usize {
        self.all().count()
    }
}

saved!(struct Sensor { subscriptions });
saved!(struct Subscription { subscriber, source, queue });
