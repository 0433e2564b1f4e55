//! Why a command or a controller with this configuration does not go on, in words.

use crate::model::*;
use std::borrow::Cow;

/// Why a controller does not start with this configuration and this journal.
pub fn carry_refused_words(refused: &CarryRefused) -> String {
    match refused {
        CarryRefused::NothingInCommon { journal, configured } => format!(
            "the journal is of other databases ({}) than the file ({}); give the estate another name, or say `was: OLD` where one was renamed",
            journal.join(", "),
            configured.join(", ")
        ),
        CarryRefused::KindChanged { group, operation } => {
            format!(
                "{operation} is not over, and {group} is of another kind now; end it with the configuration before"
            )
        }
        CarryRefused::RegionChanged { group, member, operation } => format!(
            "{operation} is not over, and {member} of {group} is in another region now; end it with the configuration before, \
             or say `was: OLD` if only the region's name has changed"
        ),
    }
}

fn field_words(field: &TargetField) -> Cow<'static, str> {
    match field {
        TargetField::EstateName => "name of the estate".into(),
        TargetField::Group => "cluster".into(),
        TargetField::Kind => "kind".into(),
        TargetField::Scope => "scope".into(),
        TargetField::Namespace => "namespace".into(),
        TargetField::Members { region } => format!("members in {region}").into(),
        TargetField::Store => "etcd".into(),
    }
}

/// `orders-db scope: this file orders-b, the controller orders-a`
pub fn difference_words(difference: &Difference) -> String {
    let said = |value: &Option<String>| {
        value.clone().filter(|v| !v.is_empty()).unwrap_or_else(|| "none".to_string())
    };
    let group = difference.group.as_ref().map_or(String::new(), |group| format!("{group} "));
    let field = field_words(&difference.field);
    format!(
        "{group}{field}: this file {}, the controller {}",
        said(&difference.ours),
        said(&difference.theirs)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_both_sides() {
        let said = |text: &str| Some(text.to_string());
        let scope = Difference {
            group: said("orders-db"),
            field: TargetField::Scope,
            ours: said("orders"),
            theirs: said("orders-2"),
        };
        assert_eq!(difference_words(&scope), "orders-db scope: this file orders, the controller orders-2");
        let region = TargetField::Members { region: "here".to_string() };
        let members = Difference { group: None, field: region, ours: said(""), theirs: None };
        assert_eq!(difference_words(&members), "members in here: this file none, the controller none");
    }
}
