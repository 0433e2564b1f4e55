//! What a thing means decides how it looks: themes give each role a style.

use super::colour::Depth;
use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The styles of every role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    pub text: Style,
    pub dim: Style,
    pub strong: Style,
    pub title: Style,
    pub ok: Style,
    pub warn: Style,
    pub bad: Style,
    pub accent: Style,
    pub key: Style,
    pub live: Style,
    pub drill: Style,
    pub simulation: Style,
    pub replay: Style,
    pub selected: Style,
}

const SHIPPED: &[(&str, &str)] = &[
    ("terminal", include_str!("../../themes/terminal.toml")),
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("deuteranopia", include_str!("../../themes/deuteranopia.toml")),
    ("tritanopia", include_str!("../../themes/tritanopia.toml")),
    ("contrast", include_str!("../../themes/contrast.toml")),
    ("mono", include_str!("../../themes/mono.toml")),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    inherits: Option<String>,
    #[serde(default)]
    palette: BTreeMap<String, String>,
    #[serde(default)]
    roles: BTreeMap<String, Look>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Look {
    fg: Option<String>,
    bg: Option<String>,
    #[serde(default)]
    bold: bool,
    #[serde(default)]
    reverse: bool,
    #[serde(default)]
    underline: bool,
}

/// A chain of themes that inherit is no longer than this.
const HEIRS: usize = 8;

impl Theme {
    /// A theme without any style: each role is given one by its file.
    fn plain() -> Theme {
        let plain = Style::reset();
        Theme {
            text: plain,
            dim: plain,
            strong: plain,
            title: plain,
            ok: plain,
            warn: plain,
            bad: plain,
            accent: plain,
            key: plain,
            live: plain,
            drill: plain,
            simulation: plain,
            replay: plain,
            selected: plain,
        }
    }

    fn roles(&mut self) -> [(&'static str, &mut Style); 14] {
        [
            ("text", &mut self.text),
            ("dim", &mut self.dim),
            ("strong", &mut self.strong),
            ("title", &mut self.title),
            ("ok", &mut self.ok),
            ("warn", &mut self.warn),
            ("bad", &mut self.bad),
            ("accent", &mut self.accent),
            ("key", &mut self.key),
            ("live", &mut self.live),
            ("drill", &mut self.drill),
            ("simulation", &mut self.simulation),
            ("replay", &mut self.replay),
            ("selected", &mut self.selected),
        ]
    }

    /// Weight and reversal alone: for NO_COLOR and for terminals without colour.
    pub fn mono() -> Theme {
        Theme::load("mono").unwrap_or_else(|_| Theme::plain())
    }

    /// The names of ours.
    pub fn names() -> impl Iterator<Item = &'static str> {
        SHIPPED.iter().map(|(name, _)| *name)
    }

    /// The one after this one, in a circle.
    pub fn after(name: &str) -> &'static str {
        let at = SHIPPED.iter().position(|(n, _)| *n == name).map_or(0, |i| i + 1);
        SHIPPED[at % SHIPPED.len()].0
    }

    /// A theme of ours by name, one in a file, or a base16 scheme in a YAML file.
    ///
    /// # Errors
    /// There is none, or it has a mistake; the text says where.
    pub fn load(name_or_file: &str) -> Result<Theme, String> {
        if let Some((name, text)) = SHIPPED.iter().find(|(name, _)| *name == name_or_file) {
            return Theme::parse(name, text);
        }
        let text = std::fs::read_to_string(name_or_file).map_err(|e| {
            let ours: Vec<_> = Theme::names().collect();
            format!("{name_or_file}: {e}; ours are: {}", ours.join(", "))
        })?;
        match std::path::Path::new(name_or_file).extension().and_then(|e| e.to_str()) {
            Some("yaml" | "yml") => Theme::parse_base16(name_or_file, &text),
            _ => Theme::parse(name_or_file, &text),
        }
    }

    /// Reads a theme from a base16 scheme.
    ///
    /// # Errors
    /// It is no YAML, or a colour is missing or none.
    pub fn parse_base16(file: &str, text: &str) -> Result<Theme, String> {
        Theme::parse(file, &super::base16::translate(file, text)?)
    }

    /// Reads a theme from a text.
    ///
    /// # Errors
    /// The first mistake in it, with its place.
    pub fn parse(file: &str, text: &str) -> Result<Theme, String> {
        let mut theme = Theme::plain();
        let given = theme.take(file, text, 0, &mut BTreeMap::new())?;
        let missing = theme.roles().into_iter().map(|(name, _)| name).find(|name| !given.contains(name));
        match missing {
            Some(missing) => Err(format!(
                "{file}:1:1: the role `{missing}` has no look; give it one, or write `inherits = \"terminal\"`"
            )),
            None => {
                // A theme's own ground lies under every role that has none of its own.
                let ground = theme.text.bg;
                for (_, style) in theme.roles() {
                    if style.bg == Some(Color::Reset) {
                        style.bg = ground;
                    }
                }
                Ok(theme)
            }
        }
    }

    /// Takes the looks of a text, those that it inherits first. The palette of an heir colours what it inherits.
    fn take(
        &mut self,
        file: &str,
        text: &str,
        depth: usize,
        palette: &mut BTreeMap<String, String>,
    ) -> Result<Vec<&'static str>, String> {
        let raw: File = toml::from_str(text).map_err(|e| {
            let (line, column) = e.span().map_or((1, 1), |s| place(text, s.start));
            format!(
                "{file}:{line}:{column}: {}; see themes/terminal.toml for what is known",
                e.message().lines().next().unwrap_or_default()
            )
        })?;
        for (name, value) in &raw.palette {
            palette.entry(name.clone()).or_insert_with(|| value.clone());
        }
        let mut given = Vec::new();
        if let Some(parent) = &raw.inherits {
            let (line, column) = text.find("inherits").map_or((1, 1), |o| place(text, o));
            let wrong = |what: String| format!("{file}:{line}:{column}: {what}");
            if depth >= HEIRS {
                return Err(wrong(format!("{HEIRS} themes inherit from one another; is it a circle?")));
            }
            let beside = std::path::Path::new(file).with_file_name(format!("{parent}.toml"));
            let inherited = match SHIPPED.iter().find(|(name, _)| name == parent) {
                Some((_, text)) => (*text).to_string(),
                None => std::fs::read_to_string(&beside).map_err(|e| {
                    wrong(format!("`{parent}` is none of ours, and {}: {e}", beside.display()))
                })?,
            };
            given = self.take(&beside.display().to_string(), &inherited, depth + 1, palette)?;
        }
        let known: Vec<&str> = self.roles().into_iter().map(|(name, _)| name).collect();
        if let Some(unknown) = raw.roles.keys().find(|name| !known.contains(&name.as_str())) {
            let (line, column) = key_place(text, unknown);
            return Err(format!(
                "{file}:{line}:{column}: `{unknown}` is no role; known: {}",
                known.join(", ")
            ));
        }
        for (name, style) in self.roles() {
            if let Some(look) = raw.roles.get(name) {
                *style = styled(file, text, palette, look)?;
                given.push(name);
            }
        }
        Ok(given)
    }

    /// In no more colours than the terminal has.
    pub fn within(mut self, depth: Depth) -> Theme {
        for (_, style) in self.roles() {
            style.fg = style.fg.map(|c| super::colour::within(c, depth));
            style.bg = style.bg.map(|c| super::colour::within(c, depth));
        }
        self
    }
}

fn styled(file: &str, text: &str, palette: &BTreeMap<String, String>, look: &Look) -> Result<Style, String> {
    let mut style = Style::reset();
    if let Some(name) = &look.fg {
        style = style.fg(colour(file, text, palette, name)?);
    }
    if let Some(name) = &look.bg {
        style = style.bg(colour(file, text, palette, name)?);
    }
    for (on, modifier) in [
        (look.bold, Modifier::BOLD),
        (look.reverse, Modifier::REVERSED),
        (look.underline, Modifier::UNDERLINED),
    ] {
        if on {
            style = style.add_modifier(modifier);
        }
    }
    Ok(style)
}

/// Where a key stands at the beginning of a line.
fn key_place(text: &str, key: &str) -> (usize, usize) {
    let at = text.lines().position(|l| {
        l.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(['=', '.']))
    });
    at.map_or((1, 1), |line| (line + 1, 1))
}

pub fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    (before.matches('\n').count() + 1, before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1)
}

fn colour(file: &str, text: &str, palette: &BTreeMap<String, String>, name: &str) -> Result<Color, String> {
    let value = palette.get(name).map_or(name, String::as_str);
    let named = match value {
        "black" => Color::Black,
        "red" => Color::Red,
        "green" => Color::Green,
        "yellow" => Color::Yellow,
        "blue" => Color::Blue,
        "magenta" => Color::Magenta,
        "cyan" => Color::Cyan,
        "white" => Color::Gray,
        "bright-black" => Color::DarkGray,
        "bright-red" => Color::LightRed,
        "bright-green" => Color::LightGreen,
        "bright-yellow" => Color::LightYellow,
        "bright-blue" => Color::LightBlue,
        "bright-magenta" => Color::LightMagenta,
        "bright-cyan" => Color::LightCyan,
        "bright-white" => Color::White,
        _ => match value
            .strip_prefix('#')
            .filter(|h| h.len() == 6)
            .and_then(|h| u32::from_str_radix(h, 16).ok())
        {
            Some(rgb) => Color::Rgb((rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8),
            None if value.len() <= 3 && value.parse::<u8>().is_ok() => {
                Color::Indexed(value.parse().unwrap_or_default())
            }
            None => {
                let (line, column) = text.find(&format!("\"{name}\"")).map_or((1, 1), |o| place(text, o));
                return Err(format!(
                    "{file}:{line}:{column}: `{name}` is no colour; write one of the palette, of the 16, a number to 255, or #rrggbb"
                ));
            }
        },
    };
    Ok(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_themes_are_whole() {
        for (name, _) in SHIPPED {
            assert!(Theme::load(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn mistakes_are_placed() {
        let wrong = "[roles]\ntext = { fg = \"purple-ish\" }\n";
        assert!(Theme::parse("t", wrong).is_err_and(|e| e.starts_with("t:")));
        let unknown = include_str!("../../themes/terminal.toml").replace("selected =", "selekted =");
        assert!(
            Theme::parse("t", &unknown)
                .is_err_and(|e| e.contains("`selekted` is no role") && !e.starts_with("t:1:1"))
        );
        assert!(Theme::parse("t", "[roles]\ntext = {}\n").is_err_and(|e| e.contains("`dim` has no look")));
        assert!(
            Theme::parse("t", "inherits = \"nobody\"\n")
                .is_err_and(|e| e.starts_with("t:1:1: `nobody` is none of ours"))
        );
    }
}
