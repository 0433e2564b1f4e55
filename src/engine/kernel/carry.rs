//! A restart with another configuration: the state of the old estate, carried over to the new one by name. Ids are positions in
//! an estate's lists, so every id that the state holds is mapped. What the new configuration leaves out and still has something
//! to be undone stays as *departed*, with the specification of its last `Started`, until that is settled.

use super::state::{OpenProposal, State};
use crate::model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The estate to go on with: as configured, with what departed and is not settled.
///
/// # Errors
/// The configuration and the journal contradict each other in a way that nobody may guess at.
pub fn estate(state: &State, configured: &Estate) -> Result<Estate, CarryRefused> {
    let mut new = configured.clone();
    if state.epoch == 0 {
        return Ok(new);
    }
    let old = &state.estate;
    let first = Carry::between(old, &new);
    let databases = || old.group_ids().filter(|g| old.group(*g).database.is_some());
    if databases().next().is_some() && databases().all(|g| first.groups[g.at()].is_none()) {
        let names =
            |e: &Estate| e.groups.iter().filter(|g| g.database.is_some()).map(|g| g.name.clone()).collect();
        return Err(CarryRefused::NothingInCommon { journal: names(old), configured: names(&new) });
    }
    for group in old.group_ids() {
        let kept: Vec<&Operation> = state
            .operations
            .iter()
            .map(|o| &**o)
            .filter(|o| o.group == group && (!o.is_over() || !o.obligations().is_empty()))
            .collect();
        if kept.is_empty() {
            continue;
        }
        match first.groups[group.at()] {
            None => depart(old, &mut new, group),
            Some(there) => {
                if let Some(open) = kept.iter().find(|o| !o.is_over()) {
                    first.refuses(old, &new, open, there)?;
                }
                if !kept.iter().all(|o| first.operation(o, false).is_some()) {
                    new.groups[there.at()].database =
                        old.group(group).database.as_ref().map(|d| transplant(old, &mut new, d, there));
                    new.departed.groups.insert(there);
                }
            }
        }
    }
    Ok(new)
}

/// Adds a group that is configured no more, with its services and regions.
fn depart(old: &Estate, new: &mut Estate, group: GroupId) {
    let id = GroupId::of(new.groups.len());
    let known = old.group(group);
    new.groups.push(Group { name: known.name.clone(), services: Vec::new(), database: None });
    new.departed.groups.insert(id);
    for service in &known.services {
        let service = old.service(*service);
        if new.service_named(&service.name).is_some() {
            continue;
        }
        let own = ServiceId::of(new.services.len());
        let regions = service.regions.iter().map(|r| region(old, new, *r)).collect();
        // Nobody asks it: only its database matters.
        new.services.push(Service {
            regions,
            depends_on: Vec::new(),
            group: id,
            health: None,
            ..service.clone()
        });
        new.departed.services.insert(own);
        new.groups[id.at()].services.push(own);
    }
    new.groups[id.at()].database = known.database.as_ref().map(|d| transplant(old, new, d, id));
}

/// A database of the old estate in the words of the new one.
fn transplant(old: &Estate, new: &mut Estate, database: &Database, group: GroupId) -> Database {
    let mut own = database.clone();
    let named = old.services.get(database.service.at()).and_then(|s| new.service_named(&s.name));
    own.service = named.or_else(|| new.group(group).services.first().copied()).unwrap_or(ServiceId(0));
    for member in &mut own.members {
        member.region = region(old, new, member.region);
    }
    for at in
        own.store.iter_mut().map(|e| &mut e.region).chain(own.balancers.iter_mut().map(|b| &mut b.region))
    {
        *at = at.map(|r| region(old, new, r));
    }
    for at in own.fence.iter_mut().flat_map(|f| &mut f.depends_on) {
        *at = region(old, new, *at);
    }
    own
}

/// The region of that name; one that is configured no more departs.
fn region(old: &Estate, new: &mut Estate, id: RegionId) -> RegionId {
    let known = old.region(id);
    if let Some(there) = find(&known.name, new.regions.iter().map(|r| r.name.as_str()), &new.renamed.regions)
    {
        return RegionId::of(there);
    }
    let there = RegionId::of(new.regions.len());
    new.regions.push(known.clone());
    new.departed.regions.insert(there);
    there
}

/// The position of what had this name: it has it still, or says that it had it.
fn find<'a>(
    old: &str,
    names: impl Iterator<Item = &'a str>,
    renamed: &BTreeMap<String, String>,
) -> Option<usize> {
    let names: Vec<&str> = names.collect();
    let still = names.iter().position(|name| *name == old);
    still.or_else(|| names.iter().position(|name| renamed.get(*name).is_some_and(|was| was == old)))
}

/// From the ids of one estate to those of another.
struct Carry {
    regions: Vec<Option<RegionId>>,
    services: Vec<Option<ServiceId>>,
    groups: Vec<Option<GroupId>>,
    /// By the old group.
    members: Vec<Vec<Option<MemberId>>>,
    balancers: Vec<Vec<Option<BalancerId>>>,
}

impl Carry {
    fn between(old: &Estate, new: &Estate) -> Carry {
        let names = || new.regions.iter().map(|r| r.name.as_str());
        let regions: Vec<_> = old
            .regions
            .iter()
            .map(|r| find(&r.name, names(), &new.renamed.regions).map(RegionId::of))
            .collect();
        let names = || new.services.iter().map(|s| s.name.as_str());
        let services: Vec<_> = old
            .services
            .iter()
            .map(|s| find(&s.name, names(), &new.renamed.services).map(ServiceId::of))
            .collect();
        let group = |g: &Group| {
            let named =
                find(&g.name, new.groups.iter().map(|g| g.name.as_str()), &BTreeMap::new()).map(GroupId::of);
            // A group may have another name because its database's service has.
            let of_service =
                || Some(new.service(*services.get(g.database.as_ref()?.service.at())?.as_ref()?).group);
            named.or_else(of_service)
        };
        let groups: Vec<Option<GroupId>> = old.groups.iter().map(group).collect();
        let databases =
            |g: &Group, to: Option<GroupId>| Some((g.database.clone()?, new.group(to?).database.clone()?));
        let pairs: Vec<_> = old.groups.iter().zip(&groups).map(|(g, to)| databases(g, *to)).collect();
        let members = pairs.iter().zip(&old.groups).map(|(pair, g)| match pair {
            Some((was, is)) => was.member_ids().map(|m| member(was, is, m, &regions)).collect(),
            None => vec![None; g.database.as_ref().map_or(0, |d| d.members.len())],
        });
        let balancers = pairs.iter().zip(&old.groups).map(|(pair, g)| match pair {
            Some((was, is)) => {
                let at = |b: &Balancer| {
                    is.balancers.iter().position(|o| o.address == b.address).map(BalancerId::of)
                };
                was.balancers.iter().map(at).collect()
            }
            None => vec![None; g.database.as_ref().map_or(0, |d| d.balancers.len())],
        });
        let (members, balancers) = (members.collect(), balancers.collect());
        Carry { regions, services, groups, members, balancers }
    }

    fn group(&self, id: GroupId) -> Option<GroupId> {
        self.groups.get(id.at()).copied().flatten()
    }

    fn region(&self, id: RegionId) -> Option<RegionId> {
        self.regions.get(id.at()).copied().flatten()
    }

    fn member(&self, group: GroupId, id: MemberId) -> Option<MemberId> {
        self.members.get(group.at())?.get(id.at()).copied().flatten()
    }

    fn balancer(&self, group: GroupId, id: BalancerId) -> Option<BalancerId> {
        self.balancers.get(group.at())?.get(id.at()).copied().flatten()
    }

    /// Under a running operation its group keeps its kind, and each member that it names its region.
    fn refuses(
        &self,
        old: &Estate,
        new: &Estate,
        open: &Operation,
        there: GroupId,
    ) -> Result<(), CarryRefused> {
        let (was, is) = (old.group(open.group), new.group(there));
        if was.database.is_some() != is.database.is_some() {
            return Err(CarryRefused::KindChanged { group: is.name.clone(), operation: open.id });
        }
        let Some((was_database, is_database)) = was.database.as_ref().zip(is.database.as_ref()) else {
            return Ok(());
        };
        for member in open.left.iter().chain([&open.to]) {
            let before = was_database.region_of(*member).and_then(|r| self.region(r));
            let after = self.member(open.group, *member).and_then(|m| is_database.region_of(m));
            let moved = after.is_some() && after != before;
            if moved {
                let member = old.member_label(open.group, *member, None).into_owned();
                return Err(CarryRefused::RegionChanged {
                    group: is.name.clone(),
                    member,
                    operation: open.id,
                });
            }
        }
        Ok(())
    }

    /// An operation with every id mapped; `None` if one of them means nothing any more. What is `past` has nothing to undo:
    /// there a balancer that is gone is no reason to forget it.
    fn operation(&self, o: &Operation, past: bool) -> Option<Operation> {
        let group = o.group;
        let obligation = |one: &Obligation| {
            Some(match one {
                Obligation::Fenced { member } => Obligation::Fenced { member: self.member(group, *member)? },
                Obligation::Drained { member, balancer } => Obligation::Drained {
                    member: self.member(group, *member)?,
                    balancer: self.balancer(group, *balancer)?,
                },
            })
        };
        let remainder = |one: &Remainder| {
            Some(match one {
                Remainder::Rejoin { member } => Remainder::Rejoin { member: self.member(group, *member)? },
                Remainder::Restore { member } => Remainder::Restore { member: self.member(group, *member)? },
            })
        };
        let status = match &o.status {
            Status::ElectedElsewhere { leader } => {
                Status::ElectedElsewhere { leader: self.member(group, *leader)? }
            }
            other => other.clone(),
        };
        let mut steps = o.steps.clone();
        for effect in steps.iter_mut().flat_map(|s| &mut s.effects) {
            effect.effect = self.effect(&effect.effect, past)?;
        }
        let foretold =
            o.foretold.clone().map(|f| Foretold { to: f.to.and_then(|to| self.member(group, to)), ..f });
        Some(Operation {
            group: self.group(group)?,
            from: self.region(o.from)?,
            left: o.left.iter().map(|m| self.member(group, *m)).collect::<Option<_>>()?,
            to: if o.left.is_empty() { o.to } else { self.member(group, o.to)? },
            steps,
            status,
            foretold,
            remains: o.remains.iter().map(remainder).collect::<Option<_>>()?,
            inherited: o.inherited.iter().map(obligation).collect::<Option<_>>()?,
            ..o.clone()
        })
    }

    fn effect(&self, effect: &Effect, past: bool) -> Option<Effect> {
        let to = |group: &GroupId| self.group(*group);
        let at = |group: &GroupId, balancer: &BalancerId| {
            self.balancer(*group, *balancer).or(past.then_some(BalancerId(u16::MAX)))
        };
        Some(match effect {
            Effect::Claim { group, .. } => {
                let (mapped, mut claim) = (to(group)?, effect.clone());
                if let Effect::Claim { group, .. } = &mut claim {
                    *group = mapped;
                }
                claim
            }
            Effect::Release { group, value, over } => {
                Effect::Release { group: to(group)?, value: value.clone(), over: over.clone() }
            }
            Effect::Fence { group, member } => {
                Effect::Fence { group: to(group)?, member: self.member(*group, *member)? }
            }
            Effect::UndoFence { group, member } => {
                Effect::UndoFence { group: to(group)?, member: self.member(*group, *member)? }
            }
            Effect::HandOver(h) => Effect::HandOver(HandOver { group: to(&h.group)?, ..h.clone() }),
            Effect::SwitchOver { group, from, to: name } => {
                Effect::SwitchOver { group: to(group)?, from: from.clone(), to: name.clone() }
            }
            Effect::Drain { group, member, balancer } => Effect::Drain {
                group: to(group)?,
                member: self.member(*group, *member)?,
                balancer: at(group, balancer)?,
            },
            Effect::Restore { group, member, balancer } => Effect::Restore {
                group: to(group)?,
                member: self.member(*group, *member)?,
                balancer: at(group, balancer)?,
            },
            Effect::ValidateWrite { group, via, primary, not, system_id, deadline } => {
                Effect::ValidateWrite {
                    group: to(group)?,
                    via: *via,
                    primary: self.member(*group, *primary)?,
                    not: not.iter().map(|m| self.member(*group, *m)).collect::<Option<_>>()?,
                    system_id: system_id.clone(),
                    deadline: *deadline,
                }
            }
            Effect::Command { .. } => effect.clone(),
        })
    }

    fn disaster(&self, d: &Disaster) -> Option<Disaster> {
        let regions: Vec<RegionId> = d.regions.iter().filter_map(|r| self.region(*r)).collect();
        let services =
            d.services.iter().filter_map(|s| self.services.get(s.at()).copied().flatten()).collect();
        (!regions.is_empty()).then(|| Disaster { regions, services, ..d.clone() })
    }
}

/// The same server, by its address; else by its name; else as the only one of its region then and now.
fn member(was: &Database, is: &Database, id: MemberId, regions: &[Option<RegionId>]) -> Option<MemberId> {
    let old = was.member(id)?;
    let by_address = is.members.iter().position(|m| m.rest == old.rest);
    let by_name =
        || old.name.as_ref().and_then(|name| is.members.iter().position(|m| m.name.as_ref() == Some(name)));
    let alone = || {
        let region = regions.get(old.region.at()).copied().flatten().filter(|_| was.is_alone(id))?;
        let mut there = is.members_in(region);
        there.next().filter(|_| there.next().is_none()).map(MemberId::at)
    };
    by_address.or_else(by_name).or_else(alone).map(MemberId::of)
}

/// The state of the old estate in the ids of the new one. Pure; it forgets nothing that is to be undone, if the new estate is
/// one that [`estate`] made.
pub fn state(old: &State, new: &Arc<Estate>) -> State {
    let carry = Carry::between(&old.estate, new);
    let mut next = State::new(Arc::clone(new));
    let operation = |o: &Arc<Operation>| {
        let past = o.is_over() && o.obligations().is_empty();
        carry.operation(o, past).map(Arc::new)
    };
    next.operations = old.operations.iter().filter_map(operation).collect();
    next.disasters = old.disasters.iter().filter_map(|d| carry.disaster(d)).collect();
    let known: BTreeSet<DisasterId> = next.disasters.iter().map(|d| d.id).collect();
    for (id, primary) in old.estate.group_ids().zip(&old.primaries) {
        let Some(group) = carry.group(id) else { continue };
        next.primaries[group.at()] = (primary.0.and_then(|m| carry.member(id, m)), primary.1);
    }
    let of_member = |(g, m): &(GroupId, MemberId)| Some((carry.group(*g)?, carry.member(*g, *m)?));
    next.names = old.names.iter().filter_map(|(key, name)| Some((of_member(key)?, name.clone()))).collect();
    next.fence_proofs =
        old.fence_proofs.iter().filter_map(|(key, proof)| Some((of_member(key)?, *proof))).collect();
    next.automation_at =
        old.automation_at.iter().filter_map(|(g, at)| Some((carry.group(*g)?, *at))).collect();
    let of_disaster = |(d, g): &(DisasterId, GroupId)| Some((*known.get(d)?, carry.group(*g)?));
    next.declined =
        old.declined.iter().filter_map(|(key, who)| Some((of_disaster(key)?, who.clone()))).collect();
    next.identities =
        old.identities.iter().filter_map(|(g, seen)| Some((carry.group(*g)?, seen.clone()))).collect();
    next.changed = old.changed.iter().filter_map(|(g, now)| Some((carry.group(*g)?, now.clone()))).collect();
    next.held = old.held.iter().filter_map(|(key, told)| Some((of_disaster(key)?, told.clone()))).collect();
    next.dismissed = old.dismissed.iter().filter_map(of_disaster).collect();
    next.turned =
        old.turned.iter().filter_map(|((g, turn), at)| Some(((carry.group(*g)?, *turn), *at))).collect();
    let elected = |(g, e): (&GroupId, &Elected)| {
        let (from, to) = (carry.member(*g, e.from)?, carry.member(*g, e.to)?);
        Some((carry.group(*g)?, Elected { from, to, ..e.clone() }))
    };
    next.elected = old.elected.iter().filter_map(elected).collect();
    next.proposals = Vec::<OpenProposal>::new();
    next.inherits.clone_from(&old.inherits);
    (next.generation, next.next, next.records, next.epoch) =
        (old.generation, old.next, old.records, old.epoch);
    next.owner.clone_from(&old.owner);
    next
}
