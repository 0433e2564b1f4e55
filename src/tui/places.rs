//! The screens: one idea each, reached by number and by name.

/// A screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Screen {
    /// How bad, the decision, what runs.
    #[default]
    Command,
    Regions,
    Services,
    Recovery,
    Replication,
    Timeline,
    Drills,
    Log,
}

impl Screen {
    pub const ALL: [Screen; 8] = [
        Screen::Command,
        Screen::Regions,
        Screen::Services,
        Screen::Recovery,
        Screen::Replication,
        Screen::Timeline,
        Screen::Drills,
        Screen::Log,
    ];

    /// The key it is reached by.
    pub fn number(self) -> char {
        let at = Screen::ALL.iter().position(|s| *s == self).unwrap_or_default();
        char::from_digit(at as u32 + 1, 10).unwrap_or('1')
    }

    pub fn numbered(number: char) -> Option<Screen> {
        Screen::ALL.into_iter().find(|s| s.number() == number)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Screen::Command => "command",
            Screen::Regions => "regions",
            Screen::Services => "services",
            Screen::Recovery => "recovery",
            Screen::Replication => "replication",
            Screen::Timeline => "timeline",
            Screen::Drills => "drills",
            Screen::Log => "log",
        }
    }

    /// What it answers.
    pub const fn purpose(self) -> &'static str {
        match self {
            Screen::Command => "how bad, since when, what is the decision, what runs",
            Screen::Regions => {
                "every region: what answers, what runs there, what needs it, what if it failed"
            }
            Screen::Services => "what depends on what, and how far a failure reaches",
            Screen::Recovery => {
                "an operation step by step: what was done, what it waits for, what took how long"
            }
            Screen::Replication => "lag over time against its objective, and who may take over",
            Screen::Timeline => "what happened, from the record: find it, mark it, take it along",
            Screen::Drills => "scenarios to play and to walk through",
            Screen::Log => "the program's own words",
        }
    }
}

impl std::str::FromStr for Screen {
    type Err = String;

    fn from_str(text: &str) -> Result<Screen, String> {
        let known = || Screen::ALL.map(Screen::name).join(", ");
        Screen::ALL
            .into_iter()
            .find(|s| s.name() == text)
            .ok_or_else(|| format!("`{text}` is no screen; known: {}", known()))
    }
}
