//! `bpci`: incident command for the day a region fails.
//!
//! A file imports only from layers below its own (`tests/layers` holds it to that):
//!
//! ```text
//! cli/                        programs, and people who type: arguments, text or JSON, exit status
//! tui/                        people who look: screens
//! exercise/                   the calendar: what is rehearsed when, by scenario, hunt, hook, at a table or on a test estate
//! chaos/                      experiments in the words of the Chaos Toolkit: their own processes and requests, no engine
//! hunt/                       the hunt for our own faults: the loop below, in worlds that mean it ill
//! controller/                 the one loop: engine + journal + door -> snapshot, events
//! wording/                    records, gaps and conditions as text: the home of sentences
//! forecast/                   many futures: engine + simulation, run thousands of times
//! sim/    drivers/    lab/    the world: simulated | real | a real one on this machine
//! journal/                    the durable, signed, append-only record
//! engine/                     decide and apply; no IO, no clock, no randomness, no floats in a decision
//! config/                     files -> model, with line-accurate errors and lint
//! model/  memory.rs           the words: plain data, units in the types; what is given back to the system
//! ```
#![forbid(unsafe_op_in_unsafe_fn)]

pub mod chaos;
pub mod cli;
pub mod config;
pub mod controller;
pub mod drivers;
pub mod engine;
pub mod exercise;
pub mod forecast;
pub mod hunt;
pub mod journal;
pub mod lab;
pub mod memory;
pub mod model;
pub mod sim;
pub mod tui;
pub mod wording;
