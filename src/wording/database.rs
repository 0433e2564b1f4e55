//! What is known of a database and its members.

use super::finding_words;
use crate::model::*;

/// How a person proves by hand that it takes writes.
pub fn by_hand(group: &Group) -> String {
    let entry = group.database.as_ref().and_then(|d| d.entry.as_deref());
    let way = entry.map_or(String::new(), |entry| format!(" through {entry}"));
    format!("write a row of your own{way} (psql), read it back")
}

/// What is known of a primary that the cluster elected by itself, and what is not.
pub fn elected_words(elected: &Elected, estate: &Estate, group: GroupId) -> String {
    let name = |m: MemberId| estate.member_label(group, m, None);
    let whom = match elected.from == elected.to {
        true => format!("{} anew", name(elected.to)),
        false => format!("{} after {}", name(elected.to), name(elected.from)),
    };
    let proof = match &elected.vouched {
        Some((at, by)) => format!("no write of ours has proven it: {by} vouches for it since {}", at.clock()),
        None => "no write of ours has proven it".to_string(),
    };
    format!(
        "the cluster elected {whom} by itself at {}, nothing was fenced from here, when its users were served and what was lost is not known; {proof}",
        elected.at.clock()
    )
}

/// What becomes of writes while nobody is synchronous.
pub const fn alone_words(alone: AloneView) -> &'static str {
    if alone.waits { "writes wait" } else { "acknowledged by it alone" }
}

/// Whether a member may take over.
pub fn takes_over(member: &MemberView) -> String {
    match &member.unfit {
        None => "may take over".to_string(),
        Some(why) if member.at_a_risk => {
            format!("takes over only at a risk that is typed: {}", finding_words(why))
        }
        Some(why) => format!("may not take over: {}", finding_words(why)),
    }
}
