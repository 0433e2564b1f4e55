//! The timeline as a file that says for itself what it is, how things stood, and what it does not hold.

use super::text::count;
use crate::model::*;

/// The file: a head of comments, and a line for each that is shown.
pub fn text(s: &Snapshot, lines: &[LogLine], filter: &str) -> String {
    let of = match filter {
        "" => {
            let (lines, records) = (count(lines.len(), "line"), count(usize::try_from(s.records).unwrap_or(usize::MAX), "record"));
            format!(", {lines} of {records} (what only the program reads again has no line)")
        }
        filter => format!(", only lines with «{filter}»"),
    };
    // A simulation's clock is not that of the wall.
    let wall = if s.world.is_some() { format!(", written {}", Utc(chrono::Utc::now().timestamp_millis())) } else { String::new() };
    let head = format!("# timeline of {}, {}, at {}{wall}{of}\n", s.estate.name, s.mode.word(), s.now.utc);
    let head = summary(s).into_iter().fold(head, |text, line| format!("{text}# {line}\n"));
    lines.iter().fold(head, |text, line| format!("{text}{line}\n"))
}

/// How it stands: what was done, what is on, and what is left to do.
fn summary(s: &Snapshot) -> Vec<String> {
    let name = |r: RegionId| s.estate.region(r).name.as_str();
    let group = |g: GroupId| s.estate.group(g).name.as_str();
    let mut lines = Vec::new();
    for d in &s.disasters {
        let regions: Vec<&str> = d.regions.iter().map(|r| name(*r)).collect();
        lines.push(format!("open: {} {}, since {}", d.kind.words(), regions.join(", "), d.since));
    }
    for o in &s.operations {
        let served = o
            .recovery_time()
            .map_or(String::new(), |took| format!(", users served after {took}{}", if o.before.impact.is_some() { " of impact" } else { "" }));
        let lost = o.results.loss.as_ref().map_or(String::new(), |loss| format!(", lost: {loss}"));
        let way = format!("{} {} → {}", group(o.group), name(o.from), name(o.to));
        lines.push(format!("{} {way}: {}, by {}{served}{lost}", o.id, o.status.word(), o.by));
        lines.extend(o.remains_words(&s.estate).map(|text| format!("  remains: {text}")));
        lines.extend(o.unfence(&s.estate).map(|command| format!("  unfence with: {command}")));
    }
    let elsewhere = s.led_elsewhere().into_iter().filter_map(|(v, planned)| Some((group(v.group), name(v.primary?), name(planned))));
    lines.extend(elsewhere.map(|(g, at, planned)| format!("led elsewhere: {g} by {at}, planned {planned}")));
    lines.extend(s.gaps.iter().map(|gap| format!("lacks: {gap}")));
    lines
}
