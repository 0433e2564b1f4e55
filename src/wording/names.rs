//! The names of what a record is about, as the state before it has them.

use crate::engine::State;
use crate::model::*;

/// The state before a record, and the estate whose names hold for it.
pub struct Names<'a> {
    pub state: &'a State,
    pub estate: &'a Estate,
}

impl<'a> Names<'a> {
    /// A record that begins an estate is told with the names of that one.
    pub fn of(state: &'a State, event: &'a Event) -> Names<'a> {
        let estate = match event {
            Event::Started { estate, .. } => estate,
            _ => &state.estate,
        };
        Names { state, estate }
    }

    pub fn region(&self, id: RegionId) -> String {
        self.estate.regions.get(id.at()).map_or("?", |r| r.name.as_str()).to_string()
    }

    pub fn group(&self, id: GroupId) -> String {
        self.estate.groups.get(id.at()).map_or("?", |g| g.name.as_str()).to_string()
    }

    /// A member, as its cluster calls it.
    pub fn member(&self, g: GroupId, m: MemberId) -> String {
        self.estate.member_label(g, m, self.state.names.get(&(g, m)).map(|name| &**name)).into_owned()
    }

    /// What an open choice is for.
    pub fn choice(&self, id: ProposalId) -> String {
        let open = self.state.proposals.iter().find(|p| p.proposal.id == id);
        open.map_or(String::new(), |p| format!(" for {}", self.group(p.proposal.group)))
    }

    /// A step of an operation, by its id in the plan.
    pub fn step(&self, operation: OperationId, step: u16) -> String {
        self.state
            .operation(operation)
            .and_then(|o| o.plan.steps.get(usize::from(step)))
            .map_or_else(|| "?".to_string(), |s| s.id.clone())
    }
}
