//! A world for whoever calls its servers by other ids, as after a restart with another configuration.

use super::judge::Leads;
use super::world::World;
use crate::engine::{Door, Sending, unspent};
use crate::model::*;
use std::sync::Arc;

/// The world of one estate behind the ids of another: both know the same servers, by their addresses.
pub struct Translated {
    pub world: World,
    /// The estate that the world was made of.
    there: Arc<Estate>,
    /// The estate of whoever stands at the door.
    here: Arc<Estate>,
    /// What was sent to no server of the world.
    pub astray: Vec<EffectId>,
}

fn scope(estate: &Estate, group: GroupId) -> Option<&str> {
    estate.groups.get(group.at())?.database.as_ref().map(|d| d.scope.as_str())
}

/// A group and a member of one estate in the other.
fn group(from: &Estate, to: &Estate, id: GroupId) -> Option<GroupId> {
    let known = scope(from, id)?;
    to.group_ids().find(|g| scope(to, *g) == Some(known))
}

fn member(from: &Estate, to: &Estate, of: GroupId, id: MemberId) -> Option<MemberId> {
    let rest = &from.group(of).database.as_ref()?.member(id)?.rest;
    to.group(group(from, to, of)?)
        .database
        .as_ref()?
        .members
        .iter()
        .position(|m| m.rest == *rest)
        .map(MemberId::of)
}

fn balancer(from: &Estate, to: &Estate, of: GroupId, id: BalancerId) -> Option<BalancerId> {
    let address = &from.group(of).database.as_ref()?.balancers.get(id.at())?.address;
    to.group(group(from, to, of)?)
        .database
        .as_ref()?
        .balancers
        .iter()
        .position(|b| b.address == *address)
        .map(BalancerId::of)
}

fn effect(from: &Estate, to: &Estate, effect: Effect) -> Option<Effect> {
    let g = |id| group(from, to, id);
    let m = |of, id| member(from, to, of, id);
    let b = |of, id| balancer(from, to, of, id);
    Some(match effect {
        Effect::Claim { group, value, revision, owner_revision, legacy_revision, inherited } => {
            Effect::Claim { group: g(group)?, value, revision, owner_revision, legacy_revision, inherited }
        }
        Effect::Release { group, value, over } => Effect::Release { group: g(group)?, value, over },
        Effect::Fence { group, member } => Effect::Fence { group: g(group)?, member: m(group, member)? },
        Effect::UndoFence { group, member } => {
            Effect::UndoFence { group: g(group)?, member: m(group, member)? }
        }
        Effect::HandOver(h) => Effect::HandOver(HandOver { group: g(h.group)?, ..h }),
        Effect::SwitchOver { group, from, to } => Effect::SwitchOver { group: g(group)?, from, to },
        Effect::Drain { group, member, balancer } => {
            Effect::Drain { group: g(group)?, member: m(group, member)?, balancer: b(group, balancer)? }
        }
        Effect::Restore { group, member, balancer } => {
            Effect::Restore { group: g(group)?, member: m(group, member)?, balancer: b(group, balancer)? }
        }
        Effect::ValidateWrite { group, via, primary, not, system_id, deadline } => Effect::ValidateWrite {
            group: g(group)?,
            via,
            primary: m(group, primary)?,
            not: not.into_iter().filter_map(|id| m(group, id)).collect(),
            system_id,
            deadline,
        },
        Effect::Command { argv, timeout, group } => {
            let group = match group {
                Some(id) => Some(g(id)?),
                None => None,
            };
            Effect::Command { argv, timeout, group }
        }
    })
}

impl Translated {
    pub fn new(world: World, estate: Arc<Estate>) -> Translated {
        Translated { world, there: Arc::clone(&estate), here: estate, astray: Vec::new() }
    }

    /// The estate that the world was made of.
    pub fn there(&self) -> &Arc<Estate> {
        &self.there
    }

    /// From now on another estate stands at the door.
    pub fn read_as(&mut self, estate: Arc<Estate>) {
        self.here = estate;
    }

    /// What a group of the last estate and a member of it are in this one.
    pub fn renumbered(&self, last: &Estate, of: (GroupId, MemberId)) -> Option<(GroupId, MemberId)> {
        group(last, &self.here, of.0).zip(member(last, &self.here, of.0, of.1))
    }

    /// Who holds the lock of a group's cluster and leads.
    pub fn leads(&self, id: GroupId) -> Option<Leads> {
        let there = group(&self.here, &self.there, id)?;
        let led = self.world.leads(there)?;
        Some(Leads { member: member(&self.there, &self.here, there, led.member)?, ..led })
    }

    /// Why an effect that is decided now would not be sent.
    pub fn withholds(&self, now: Mono, issued: &Issued) -> Option<String> {
        self.world.withholds(&self.request(issued)?, now)
    }

    /// Something is sent that was decided at that moment.
    pub fn send(&mut self, now: Now, issued: Issued, decided: Mono) {
        match self.request(&issued) {
            Some(issued) => self.world.send(now, issued, decided),
            None => self.astray.push(issued.id),
        }
    }

    /// A request arrives that was on its way for too long.
    pub fn arrive(&mut self, now: Mono, issued: Issued, decided: Mono) {
        if let Some(issued) = self.request(&issued) {
            self.world.arrive(now, issued, decided);
        }
    }

    fn request(&self, issued: &Issued) -> Option<Issued> {
        Some(Issued { effect: effect(&self.here, &self.there, issued.effect.clone())?, ..issued.clone() })
    }

    fn region(&self, id: RegionId) -> Option<RegionId> {
        let (name, to) = (&self.there.region(id).name, &*self.here);
        let was = |r: &RegionId| to.renamed.regions.get(&to.region(*r).name) == Some(name);
        to.region_named(name).or_else(|| to.region_ids().find(was))
    }

    fn service(&self, id: ServiceId) -> Option<ServiceId> {
        let (name, to) = (&self.there.services.get(id.at())?.name, &*self.here);
        let was = |s: &ServiceId| {
            to.services.get(s.at()).and_then(|s| to.renamed.services.get(&s.name)) == Some(name)
        };
        to.service_named(name).or_else(|| (0..to.services.len()).map(ServiceId::of).find(was))
    }

    fn fact(&self, fact: Fact) -> Option<Fact> {
        let (from, to) = (&*self.there, &*self.here);
        let g = |id| group(from, to, id);
        let m = |of, id| member(from, to, of, id);
        let b = |of, id| balancer(from, to, of, id);
        Some(match fact {
            Fact::Probe { group, member, port, result, waited } => {
                Fact::Probe { group: g(group)?, member: m(group, member)?, port, result, waited }
            }
            Fact::Member { group, member, report } => {
                Fact::Member { group: g(group)?, member: m(group, member)?, report }
            }
            Fact::Receiver { group, member, stream } => {
                Fact::Receiver { group: g(group)?, member: m(group, member)?, stream }
            }
            Fact::Login { group, member, result } => {
                Fact::Login { group: g(group)?, member: m(group, member)?, result }
            }
            Fact::FenceCheck { group, member, result } => {
                Fact::FenceCheck { group: g(group)?, member: m(group, member)?, result }
            }
            // The simulated world answers no survey.
            Fact::Survey { .. } => return None,
            Fact::Store { group, mut record } => {
                if let Some(leader) = &mut record.leader {
                    leader.member = leader.member.and_then(|id| m(group, id));
                }
                for key in Arc::make_mut(&mut record.members) {
                    key.member = key.member.and_then(|id| m(group, id));
                }
                Fact::Store { group: g(group)?, record }
            }
            Fact::StoreAway { group, reason } => Fact::StoreAway { group: g(group)?, reason },
            Fact::Balancer { group, balancer, mut servers } => {
                for server in &mut servers {
                    server.member = server.member.and_then(|id| m(group, id));
                }
                Fact::Balancer { group: g(group)?, balancer: b(group, balancer)?, servers }
            }
            Fact::BalancerAway { group, balancer, reason } => {
                Fact::BalancerAway { group: g(group)?, balancer: b(group, balancer)?, reason }
            }
            Fact::Need { need, result } => {
                let name = &self.there.needs.get(usize::from(need))?.name;
                let need = self
                    .here
                    .needs
                    .iter()
                    .position(|n| n.name == *name)
                    .and_then(|i| u16::try_from(i).ok())?;
                Fact::Need { need, result }
            }
            Fact::Load { region, load } => Fact::Load { region: self.region(region)?, load },
            Fact::Service { service, region, result } => {
                let region = match region {
                    Some(region) => Some(self.region(region)?),
                    None => None,
                };
                Fact::Service { service: self.service(service)?, region, result }
            }
            Fact::Signal { kind, region, groups, text, active } => {
                let groups = groups.into_iter().filter_map(g).collect();
                Fact::Signal { kind, region: self.region(region)?, groups, text, active }
            }
        })
    }
}

impl Door for Translated {
    fn submit(&mut self, now: Now, sending: Sending) {
        match sending.spend(now.mono) {
            Ok(issued) => self.send(now, issued, now.mono),
            Err((id, why)) => self.world.reports(unspent(id, now.mono, why)),
        }
    }

    fn look(&mut self, now: Now, look: Look) {
        let look = match look {
            Look::Closely { group: id, every, until } => match group(&self.here, &self.there, id) {
                Some(group) => Look::Closely { group, every, until },
                None => return,
            },
            Look::Outcome { issued } => match self.request(&issued) {
                Some(issued) => Look::Outcome { issued: Box::new(issued) },
                None => return,
            },
        };
        self.world.look(now, look);
    }

    fn poll(&mut self, now: Mono) -> Vec<Incoming> {
        let incoming = self.world.poll(now);
        let mapped = incoming.into_iter().filter_map(|one| match one {
            Incoming::Observed(o) => Some(Incoming::Observed(Observation { fact: self.fact(o.fact)?, ..o })),
            report => Some(report),
        });
        mapped.collect()
    }

    fn next_deadline(&self) -> Option<Mono> {
        self.world.next_deadline()
    }
}
