//! The balancers of a region.

use super::RoutePanel;
use crate::model::Haproxy;

impl RoutePanel for Haproxy {
    fn held(here: usize, of: usize) -> String {
        format!("{here} of {of} balancers")
    }
}
