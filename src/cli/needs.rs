//! What a recovery needs besides the estate, for `bc validate`: what is lost with each region and each provider.

use crate::model::*;
use crate::wording::probe_words;
use serde_json::{Value, json};

/// What is lost with one place or provider.
struct Without<'a> {
    region: Option<&'a str>,
    provider: Option<&'a str>,
    lost: Vec<&'a Need>,
    unknown: Vec<&'a Need>,
}

fn each(estate: &Estate) -> Vec<Without<'_>> {
    let of = |loss: NeedLoss, of: &dyn Fn(&Need) -> NeedLoss| {
        estate.needs.iter().filter(|n| of(n) == loss).collect()
    };
    let regions = estate.regions.iter().map(|r| {
        let loss = |n: &Need| n.lost_with_region(&r.name);
        Without {
            region: Some(&r.name),
            provider: None,
            lost: of(NeedLoss::Lost, &loss),
            unknown: of(NeedLoss::Unknown, &loss),
        }
    });
    let providers = estate.providers().into_iter().map(|p| {
        let loss = |n: &Need| n.lost_with_provider(p, estate);
        Without {
            region: None,
            provider: Some(p),
            lost: of(NeedLoss::Lost, &loss),
            unknown: of(NeedLoss::Unknown, &loss),
        }
    });
    regions.chain(providers).collect()
}

/// The same as JSON. `answers`: what each need answered last; null where it was not asked.
pub fn report(estate: &Estate, answers: &[Option<ProbeResult>]) -> Value {
    let names = |list: &[&Need]| list.iter().map(|n| n.name.clone()).collect::<Vec<_>>();
    let need = |(i, n): (usize, &Need)| {
        let answer = answers.get(i).and_then(Option::as_ref);
        json!({
            "name": n.name,
            "regions": n.regions,
            "provider": n.provider,
            "answers": answer.and_then(|a| (!matches!(a, ProbeResult::NotAsked(_))).then_some(a.is_well())),
            "reason": answer.filter(|a| !a.is_well()).map(|a| probe_words(a, n.probe.as_ref())),
            "break_glass": n.break_glass.as_ref().map(|b| json!({ "who": b.who, "exercised": b.exercised.map(|at| at.to_string()) })),
        })
    };
    let without = |w: &Without| json!({ "region": w.region, "provider": w.provider, "lost": names(&w.lost), "unknown": names(&w.unknown) });
    json!({
        "declared": !estate.needs.is_empty(),
        "needs": estate.needs.iter().enumerate().map(need).collect::<Vec<_>>(),
        "without": each(estate).iter().map(without).collect::<Vec<_>>(),
    })
}

/// The same in lines for people.
pub fn words(estate: &Estate, answers: &[Option<ProbeResult>]) -> Vec<String> {
    if estate.needs.is_empty() {
        let text = "no `needs:` in the configuration: whether sign-in, VPN, secrets, DNS, paging and chat survive the loss of a region is unknown";
        return vec![format!("? needs: {text}")];
    }
    let way_in = |n: &Need| match &n.break_glass {
        Some(b) => format!(
            "{} (break-glass login: {}{})",
            n.name,
            b.who,
            b.exercised.map_or(", never exercised".to_string(), |_| String::new())
        ),
        None => format!("{} (no break-glass login)", n.name),
    };
    let mut lines = Vec::new();
    for w in each(estate) {
        let place = w.region.map_or_else(
            || format!("provider {}", w.provider.unwrap_or_default()),
            |r| format!("region {r}"),
        );
        let mark = if !w.lost.is_empty() {
            "✗"
        } else if w.unknown.is_empty() {
            "✓"
        } else {
            "?"
        };
        let lost: Vec<String> = w.lost.iter().map(|n| way_in(n)).collect();
        let lost = if lost.is_empty() { "nothing".to_string() } else { lost.join(", ") };
        let unknown: Vec<&str> = w.unknown.iter().map(|n| n.name.as_str()).collect();
        let unknown =
            if unknown.is_empty() { String::new() } else { format!("; unknown: {}", unknown.join(", ")) };
        lines.push(format!("{mark} needs lost with {place}: {lost}{unknown}"));
    }
    for (need, answer) in estate.needs.iter().zip(answers) {
        if let Some(answer) = answer.as_ref().filter(|a| !a.is_well()) {
            lines.push(format!("✗ need {}: {}", need.name, probe_words(answer, need.probe.as_ref())));
        }
    }
    lines
}
