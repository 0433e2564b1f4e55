//! A case that fails, made as small as it gets: what can be left out is left out, as long as the same thing is found.

use super::case::Case;
use super::course::Course;
use super::run::{Finding, run};
use super::tally::Tally;
use crate::model::*;

/// The part of a finding that says what kind it is: the law, or the first words.
fn kind(finding: &Finding) -> String {
    let what = &finding.what;
    what.split_once(':').map_or_else(
        || what.split_whitespace().take(3).collect::<Vec<_>>().join(" "),
        |(law, _)| law.to_string(),
    )
}

/// The smallest case that was found to fail in the same way, and what it finds.
pub fn shrink(case: &Case, finding: &Finding) -> (Case, Finding) {
    let wanted = kind(finding);
    let (mut best, mut found) = (case.clone(), finding.clone());
    loop {
        let before = best.clone();
        for smaller in smaller(&best) {
            if let Some(again) = run(&smaller, &mut Tally::default()).filter(|f| kind(f) == wanted) {
                (best, found) = (smaller, again);
                break;
            }
        }
        if best == before {
            return (best, found);
        }
    }
}

fn drop_at<T>(list: &mut Vec<T>, at: usize) {
    list.remove(at);
}

/// Every case that is one thing simpler.
fn smaller(case: &Case) -> Vec<Case> {
    let mut list = Vec::new();
    let mut with = |change: &dyn Fn(&mut Case)| {
        let mut other = case.clone();
        change(&mut other);
        if other != *case {
            list.push(other);
        }
    };
    for i in 0..case.acts.len() {
        with(&|c| drop_at(&mut c.acts, i));
    }
    for i in 0..case.faults.len() {
        with(&|c| drop_at(&mut c.faults, i));
    }
    for i in 0..case.tricks.len() {
        with(&|c| drop_at(&mut c.tricks, i));
    }
    with(&|c| c.rival = None);
    with(&|c| c.shape.databases = 1);
    with(&|c| c.shape.balancers.clear());
    with(&|c| c.shape.balancers.truncate(1));
    with(&|c| c.shape.store = vec![None]);
    with(&|c| c.shape.course = Course::default());
    with(&|c| c.shape.course.after.clear());
    with(&|c| c.shape.course.between.clear());
    for i in 0..case.shape.course.without.len() {
        with(&|c| drop_at(&mut c.shape.course.without, i));
    }
    with(&|c| c.shape.automatic = false);
    with(&|c| c.shape.second_person = false);
    with(&|c| c.shape.shared_provider = false);
    with(&|c| c.shape.regions = (c.shape.regions - 1).max(2));
    with(&|c| c.shape.interval = Span::secs(1));
    with(&|c| c.shape.settle = Span::ZERO);
    with(&|c| {
        if let Some(fence) = &mut c.shape.fence {
            (fence.undo, fence.depends_on) = (true, Vec::new());
        }
    });
    with(&|c| c.world.fence = FenceSetup { takes: Span::ms(100), lies: false });
    with(&|c| c.world.agent = WorldSetup::default().agent);
    with(&|c| c.world.wal_rate = WorldSetup::default().wal_rate);
    with(&|c| c.world.latency = WorldSetup::default().latency);
    for i in 0..case.faults.len() {
        with(&|c| c.faults[i].lasts = None);
    }
    list
}
