//! The rooms: state machines over the one journal. A room sees what the kernel sees, and acts only through assets.

pub mod recovery;
