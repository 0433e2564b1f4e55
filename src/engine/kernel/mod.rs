//! What holds for every asset and every room: the state and its fold, claims, proofs, laws, votes. It knows no product by name, and
//! no room.

pub mod about;
pub mod carry;
pub mod claim;
pub mod claim_seen;
pub mod detect;
pub mod door;
pub mod engine;
pub mod entry;
pub mod facts;
pub mod findings;
pub mod fold;
pub mod laws;
pub mod limits;
pub mod planted;
pub mod position;
pub mod proof;
pub mod sending;
pub mod services;
pub mod standing;
pub mod state;
pub mod takeover;
pub mod telemetry;
pub mod unproven;
pub mod votes;
pub mod watched;
