//! The machine's own sensors.
//!
//! A package that declares a sensor of one of these names gets the machine's
//! readings of it, once a second while somebody listens. A machine that has no
//! such sensor leaves it to whoever feeds it by hand.

use alloc::vec::Vec;

use hal::traits::Platform;
use machine::Cell;
use nucleus::ObjectId;
use nucleus::view::Body;

use crate::Machine;

/// Temperature of the processor: thousandths of a degree Celsius, 4 bytes, two's
/// complement, little-endian.
pub const TEMPERATURE: &str = "temperature";

/// Unpredictable bytes, [`RANDOM_LENGTH`] of them.
pub const RANDOM: &str = "random";

/// Bytes of a reading of [`RANDOM`].
pub const RANDOM_LENGTH: usize = 32;

/// Time between two readings, in ns.
const PERIOD_NS: u64 = 1_000_000_000;

/// Which of them this machine has, and when they are read next.
pub struct Sensors {
    has_temperature: bool,
    has_random: bool,
    next_ns: u64,
}

impl Sensors {
    /// Tries each.
    pub fn find(platform: &mut Machine) -> Self {
        Self {
            has_temperature: platform.temperature().is_some(),
            has_random: platform.entropy().fill(&mut [0; RANDOM_LENGTH]),
            next_ns: 0,
        }
    }

    /// The time of the next readings, if somebody listens to any.
    pub fn due_ns(&self, cell: &Cell) -> Option<u64> {
        let is_wanted = self.temperature(cell).is_some() || self.random(cell).is_some();
        is_wanted.then_some(self.next_ns)
    }

    /// Reads those that somebody listens to, if it is time.
    pub fn read(&mut self, cell: &Cell, platform: &mut Machine) -> Vec<(ObjectId, Vec<u8>)> {
        let mut readings = Vec::new();
        let now_ns = platform.timer().now_ns();
        if now_ns < self.next_ns {
            return readings;
        }
        self.next_ns = now_ns.saturating_add(PERIOD_NS);
        let (temperature, random) = (self.temperature(cell), self.random(cell));
        if let Some((sensor, reading)) = temperature.zip(platform.temperature()) {
            readings.push((sensor, reading.to_le_bytes().to_vec()));
        }
        let mut bytes = [0; RANDOM_LENGTH];
        if let Some(sensor) = random.filter(|_| platform.entropy().fill(&mut bytes)) {
            readings.push((sensor, bytes.to_vec()));
        }
        readings
    }

    fn temperature(&self, cell: &Cell) -> Option<ObjectId> {
        wanted(cell, TEMPERATURE).filter(|_| self.has_temperature)
    }

    fn random(&self, cell: &Cell) -> Option<ObjectId> {
        wanted(cell, RANDOM).filter(|_| self.has_random)
    }
}

/// The package's sensor of this name, if somebody listens to it.
fn wanted(cell: &Cell, name: &str) -> Option<ObjectId> {
    let view = cell.view();
    let id = view.sensor(name)?;
    match &view.object(id)?.body {
        Body::Sensor(sensor) if sensor.subscribers() > 0 => Some(id),
        _ => None,
    }
}
