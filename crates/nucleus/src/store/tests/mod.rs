//! The stores against plain models.

mod common;
mod graph;
mod recall;
mod refusals;
mod vectors;
