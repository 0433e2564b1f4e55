//! A disaster for the record: what was declared, and how it ended.

use super::names::Names;
use crate::engine::unproven;
use crate::model::*;

/// Services that are named one by one.
const NAMED: usize = 12;

/// What is declared, where it was found and what it reaches.
pub fn declared(names: &Names, d: &Disaster) -> (Weight, Subject, String) {
    let estate = names.estate;
    let regions: Vec<_> = d.regions.iter().map(|r| names.region(*r)).collect();
    let first =
        d.services.iter().filter(|s| estate.services.get(s.at()).is_some_and(|s| s.tier == 1)).count();
    let hit: Vec<&str> = d
        .services
        .iter()
        .filter_map(|s| estate.services.get(s.at()))
        .map(|s| s.name.as_str())
        .take(NAMED)
        .collect();
    let more = if d.services.len() > NAMED {
        format!(" and {} more", d.services.len() - NAMED)
    } else {
        String::new()
    };
    let text = format!(
        "{} {}, {}; {} services, {first} of tier 1; found in {}; it reaches {}{more}",
        d.kind.words(),
        regions.join(", "),
        d.severity,
        d.services.len(),
        d.detection,
        if hit.is_empty() { "no service".to_string() } else { hit.join(", ") }
    );
    (Weight::Alarm, Subject::Disaster, text)
}

/// Whether it is over, is part of a wider one, or leaves something to prove.
pub fn ended(names: &Names, disaster: DisasterId, now: Utc) -> (Weight, Subject, String) {
    let (state, estate) = (names.state, names.estate);
    let known = state.disasters.iter().find(|d| d.id == disaster);
    let text = known.map_or_else(
        || "it is over".to_string(),
        |d| {
            let regions: Vec<_> = d.regions.iter().map(|r| names.region(*r)).collect();
            let databases = d.of_nodes(estate);
            let databases =
                if databases.is_empty() { String::new() } else { format!(" ({})", databases.join(", ")) };
            let unproven =
                unproven(state, d).into_iter().map(|id| names.group(id)).collect::<Vec<_>>().join(", ");
            let (what, regions, took) =
                (d.kind.words(), format!("{}{databases}", regions.join(", ")), now.since(d.since));
            // A wider one takes its place: nothing is over by that.
            let wider = |o: &&Disaster| {
                o.id > d.id && d.regions.iter().all(|r| o.regions.contains(r)) && !o.kind.is_of_data()
            };
            let wider = state
                .open_disasters()
                .filter(wider)
                .find(|o| o.kind != DisasterType::NodeFailure && !d.kind.is_of_data());
            match (wider, unproven.is_empty()) {
                (Some(o), _) => {
                    format!("{what} {regions}, since {took}, is part of {} from now on", o.kind.words())
                }
                (None, true) => {
                    // That it is over is not that all is where it was.
                    let away =
                        |g: &GroupId| state.primary_region(*g).is_some_and(|p| !d.regions.contains(&p));
                    let reached = |g: &GroupId| {
                        d.services.iter().any(|s| estate.services.get(s.at()).is_some_and(|s| s.group == *g))
                    };
                    let stays: Vec<String> = estate
                        .group_ids()
                        .filter(|g| reached(g) && away(g))
                        .map(|id| names.group(id))
                        .collect();
                    let stays = if stays.is_empty() {
                        String::new()
                    } else {
                        format!("; {} stay led elsewhere", stays.join(", "))
                    };
                    format!("{what} {regions} is over, after {took}, since {}{stays}", d.since.clock())
                }
                // What is left to do stands where nothing cuts it.
                (None, false) => {
                    format!("over after {took}, {unproven} never proven by a write of ours: {what} {regions}")
                }
            }
        },
    );
    (Weight::Notice, Subject::Disaster, text)
}
