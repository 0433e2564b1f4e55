//! The timeline as a file that says for itself what it is, how things stood, and what it does not hold.

use super::text::count;
use crate::model::*;
use crate::wording::{elected_words, gap_words, one_line, remains_words};

/// The file: a head of comments, and a line for each that is shown.
pub fn text(s: &Snapshot, lines: &[LogLine], filter: &str) -> String {
    let of = match filter {
        "" => {
            let records = usize::try_from(s.records).unwrap_or(usize::MAX);
            let all = usize::try_from(s.log_total).unwrap_or(usize::MAX);
            match records.saturating_sub(lines.len()) {
                _ if all > lines.len() => {
                    format!(
                        ", the newest {} of {}; what is older stands in the journal: `bpci journal export`",
                        lines.len(),
                        count(all, "line")
                    )
                }
                0 => format!(", all {}", count(records, "record")),
                more => format!(
                    ", {} of {}: the other {more} only mark that a step began, or keep a time, and other lines tell both",
                    count(lines.len(), "line"),
                    count(records, "record")
                ),
            }
        }
        filter => format!(", only lines with «{filter}»"),
    };
    // A simulation's clock is not that of the wall.
    let wall = if s.world.is_some() {
        format!(", written {}", Utc(chrono::Utc::now().timestamp_millis()))
    } else {
        String::new()
    };
    let head = format!(
        "# {}\n",
        one_line(&format!("timeline of {}, {}, at {}{wall}{of}", s.estate.name, s.mode.word(), s.now.utc))
    );
    let head = format!(
        "{head}# «will» is written before an act, «done» is what it answered, «✓» that it was seen to hold: that is the proof\n"
    );
    // Each entry is one line of the file, whatever it holds from outside.
    let head = summary(s).iter().fold(head, |text, line| format!("{text}# {}\n", one_line(line)));
    lines.iter().fold(head, |text, line| format!("{text}{}\n", one_line(&line.to_string())))
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
        let served = o.recovery_time().map_or(String::new(), |took| {
            let of = o
                .before
                .impact
                .map_or(String::new(), |since| format!(" of impact, from its first failed check at {since}"));
            format!(", users served after {}{of}", took.exact())
        });
        let lost = o.results.loss.as_ref().map_or(String::new(), |loss| format!(", lost: {loss}"));
        let way = format!("{} {} → {}", group(o.group), name(o.from), s.label(o.group, o.to));
        lines.push(format!("{} {way}: {}, by {}{served}{lost}", o.id, o.status.word(), o.by));
        lines.extend(remains_words(o, &s.estate).into_iter().map(|text| format!("  remains: {text}")));
        lines.extend(o.unfence(&s.estate).map(|command| format!("  unfence with: {command}")));
    }
    let elected = s.groups.iter().filter_map(|v| {
        Some(format!("{}: {}", group(v.group), elected_words(v.elected.as_ref()?, &s.estate, v.group)))
    });
    lines.extend(elected);
    let elsewhere = s
        .led_elsewhere()
        .into_iter()
        .filter_map(|(v, planned)| Some((group(v.group), name(v.primary?), name(planned))));
    lines.extend(elsewhere.map(|(g, at, planned)| format!("led elsewhere: {g} by {at}, planned {planned}")));
    // What the cluster did stands above.
    let told = |gap: &&Gap| matches!(gap, Gap::Vouched { .. });
    lines.extend(
        s.gaps.iter().filter(|gap| !told(gap)).map(|gap| format!("lacks: {}", gap_words(gap, &s.estate))),
    );
    lines.push(proof(s));
    lines
}

/// What the file can be held against.
fn proof(s: &Snapshot) -> String {
    match (&s.head, s.mode) {
        (Some((seq, hash)), _) => {
            format!("proof: record {seq} of the journal has the hash {hash}; `bpci journal export` shows it, `bpci journal verify` checks the chain")
        }
        (None, Mode::Replay) => format!("proof: as far as record {} of the journal that is replayed; `bpci journal verify` checks it", s.records),
        (None, _) => "proof: none: a simulation keeps its record in memory, and its clock is its own: this can be held against nothing".to_string(),
    }
}
