//! Whether the loss of a region could be answered, point by point, in words.

use super::{finding_words, no_figures_words, refusal_words, survey_check_words, why_not_words};
use crate::model::*;

/// How a drill is run.
const REHEARSE: &str =
    "`bpci bc drill execute --scenario`, or 7 in the dashboard, with a scenario that runs it";

/// What was found of a point.
pub fn point_words(point: &Point) -> String {
    use PointFinding as P;
    match &point.finding {
        P::Check(finding) => finding_words(finding),
        P::Words(words) => words.clone(),
        P::Plan { name, steps } => format!("{name}, {steps} steps"),
        P::NoPlan { intent, kind } => {
            format!("no {intent} plan names {kind}; add it to a plan's `disasters`")
        }
        P::RunsElsewhere => "nothing is led from there, and everything in it runs elsewhere too".to_string(),
        P::RunsNowhereElse { services } => format!("{services} services run nowhere else"),
        P::EntriesElsewhere { region } => format!("no database has its only balancers in {region}"),
        P::OnlyEntries { groups, region } => {
            format!(
                "every balancer of {} stands in {region}: users find no way in without it",
                groups.join(", ")
            )
        }
        P::FenceNeeds { region } => format!("the step «fence» needs {region} itself"),
        P::NoStore => "no etcd is named, so nothing can be handed over; add `etcd: [http://…]`".to_string(),
        P::StoreStands { there, of, region } => {
            format!("{there} of {of} of etcd stand in {region}: no quorum without it")
        }
        P::EveryBalancerStands { region } => format!("every balancer stands in {region}"),
        P::NothingNeeded { region } => format!("nothing that is needed is declared to stand in {region}"),
        P::LeaderUnknown => "no member has said that it leads".to_string(),
        P::NotSurveyed => "the running systems have not been asked yet".to_string(),
        P::Survey { stops: 0, unknown: 0, .. } => "nothing found that would stop a failover".to_string(),
        P::Survey { stops: 0, unknown, .. } => {
            format!("{unknown} not known; `bpci config check FILE --live` lists all")
        }
        P::Survey { stops, first, .. } => {
            let (things, first) = (
                if *stops == 1 { "thing" } else { "things" },
                first.map_or(String::new(), survey_check_words),
            );
            format!(
                "{stops} {things} would stop a failover, first: {first}; `bpci config check FILE --live` lists all"
            )
        }
        P::Nobody => "nobody".to_string(),
        P::DeclaredLess { to, carries, from, up_to } => {
            format!("{to} can carry {carries} of the load, {from} up to {up_to}, as declared")
        }
        P::ToBeCreated { to } => {
            format!("{to} is a cold standby: whether its capacity can be created in time is not known")
        }
        P::DeclaredOnly { to, carries } => {
            format!("{to} can carry {carries} as declared; its live load is not known")
        }
        P::NoFence => {
            "no fence is configured: a failover must be accepted as a risk; add `fence: { exec: […] }`"
                .to_string()
        }
        P::FenceProven { ago, took } => format!("proven {ago} ago, in {took}"),
        P::FenceNeverFired => "its check says that it could; never fired here".to_string(),
        P::FenceHasNoCheck => "it cannot be asked without firing it; add `fence: { check: […] }`".to_string(),
        P::FenceCheckOpen => "its check has not answered yet".to_string(),
        P::NoLogin => {
            "no login is named: a write cannot be validated; add `postgres: { user, … }`".to_string()
        }
        P::LoginRefused { member, user, reason } => format!("{member} does not let {user} in: {reason}"),
        P::LoginUntried => "nobody has answered a login yet".to_string(),
        P::LoginWorks { user, on, of } => format!("{user} is let in on {on} of {of}"),
        P::NoTraffic => {
            "no traffic entry is named: «users are served» cannot be proven; add `traffic`".to_string()
        }
        P::Balancers { count } => format!("{count} balancers"),
        P::NoPlanAnswers { kind } => format!("no plan answers {}: nothing can be rehearsed", kind.words()),
        P::Drilled { plan, ago } => format!("plan {plan} was rehearsed with success {ago} ago"),
        P::DrillOverdue { plan, ago } => {
            format!("overdue: plan {plan} was last rehearsed with success {ago} ago; {REHEARSE}")
        }
        P::NeverDrilled { plan, acts } => {
            // Where automation does not ask for it, that is all the more to be said.
            let so = if *acts { " (automation acts all the same here: `drilled: false`)" } else { "" };
            format!("plan {plan} was never rehearsed with success here as it stands{so}; {REHEARSE}")
        }
        P::NotForecast(refusal) => refusal_words(refusal),
        P::NoFigures(why) => no_figures_words(why),
        P::NotServed { why } => {
            why.as_ref().map_or_else(|| "users would not be served".to_string(), why_not_words)
        }
        P::Served { within, found, without, rto, loses, rpo } => {
            let without = if without.is_empty() {
                String::new()
            } else {
                format!(", without the {}", without.join(", "))
            };
            let losing =
                loses.map_or("losing an amount that is not known".to_string(), |l| format!("losing p95 {l}"));
            let (rto, rpo) = (rto.written(), rpo.written());
            format!(
                "served within p95 {within} (detection {found}{without}) against RTO {rto}, {losing} against RPO {rpo}"
            )
        }
    }
}
