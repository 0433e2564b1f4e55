//! Experiments in the words of the Chaos Toolkit: a steady state that must hold, a method that disturbs it, rollbacks.
//! <https://chaostoolkit.org/reference/api/experiment/>, <https://chaostoolkit.org/reference/api/journal/>
//!
//! It promises: nothing is run of an experiment that is not understood from end to end; once the method has begun its
//! rollbacks are run, whatever happens, unless its file or the caller says otherwise; it is over when the steady state was seen again. It may not decide anything about
//! an estate: what it does, it does through the experiment's own processes and requests.

mod experiment;
mod jsonpath;
mod jsonpath_token;
mod pattern;
mod provider;
mod run;
mod strategy;
mod substitute;
mod tolerance;

pub use experiment::{Activity, Experiment};
pub use run::{Ended, Rules, run};
pub use strategy::{Rollbacks, Strategy};
