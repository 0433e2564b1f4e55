//! What a thing means decides how it looks: themes give each role a style.

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

const SHIPPED: &[(&str, &str)] = &[("terminal", include_str!("../../themes/terminal.toml")), ("dark", include_str!("../../themes/dark.toml"))];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    palette: BTreeMap<String, String>,
    roles: Roles,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Roles {
    text: Look,
    dim: Look,
    strong: Look,
    title: Look,
    ok: Look,
    warn: Look,
    bad: Look,
    accent: Look,
    key: Look,
    live: Look,
    drill: Look,
    simulation: Look,
    replay: Look,
    selected: Look,
}

#[derive(Deserialize)]
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

impl Theme {
    /// Weight and reversal alone: for NO_COLOR and for terminals without colour.
    pub fn mono() -> Theme {
        let plain = Style::reset();
        let bold = plain.add_modifier(Modifier::BOLD);
        let reverse = bold.add_modifier(Modifier::REVERSED);
        Theme {
            text: plain,
            dim: plain,
            strong: bold,
            title: bold,
            ok: plain,
            warn: plain.add_modifier(Modifier::UNDERLINED),
            bad: bold,
            accent: bold,
            key: bold,
            live: reverse,
            drill: reverse,
            simulation: reverse,
            replay: reverse,
            selected: plain.add_modifier(Modifier::REVERSED),
        }
    }

    /// A theme of ours by name, or one in a file.
    ///
    /// # Errors
    /// There is none, or it has a mistake; the text says where.
    pub fn load(name_or_file: &str) -> Result<Theme, String> {
        if name_or_file == "mono" {
            return Ok(Theme::mono());
        }
        if let Some((name, text)) = SHIPPED.iter().find(|(name, _)| *name == name_or_file) {
            return Theme::parse(name, text);
        }
        match std::fs::read_to_string(name_or_file) {
            Ok(text) => Theme::parse(name_or_file, &text),
            Err(e) => {
                let ours: Vec<_> = SHIPPED.iter().map(|(n, _)| *n).chain(["mono"]).collect();
                Err(format!("{name_or_file}: {e}; ours are: {}", ours.join(", ")))
            }
        }
    }

    /// Reads a theme from a text.
    ///
    /// # Errors
    /// The first mistake in it, with its place.
    pub fn parse(file: &str, text: &str) -> Result<Theme, String> {
        let raw: File = toml::from_str(text).map_err(|e| {
            let (line, column) = e.span().map_or((1, 1), |s| place(text, s.start));
            format!("{file}:{line}:{column}: {}; see themes/terminal.toml for what is known", e.message())
        })?;
        let style = |role: &Look| -> Result<Style, String> {
            let mut style = Style::reset();
            if let Some(name) = &role.fg {
                style = style.fg(colour(file, text, &raw.palette, name)?);
            }
            if let Some(name) = &role.bg {
                style = style.bg(colour(file, text, &raw.palette, name)?);
            }
            for (on, modifier) in [(role.bold, Modifier::BOLD), (role.reverse, Modifier::REVERSED), (role.underline, Modifier::UNDERLINED)] {
                if on {
                    style = style.add_modifier(modifier);
                }
            }
            Ok(style)
        };
        let r = &raw.roles;
        Ok(Theme {
            text: style(&r.text)?,
            dim: style(&r.dim)?,
            strong: style(&r.strong)?,
            title: style(&r.title)?,
            ok: style(&r.ok)?,
            warn: style(&r.warn)?,
            bad: style(&r.bad)?,
            accent: style(&r.accent)?,
            key: style(&r.key)?,
            live: style(&r.live)?,
            drill: style(&r.drill)?,
            simulation: style(&r.simulation)?,
            replay: style(&r.replay)?,
            selected: style(&r.selected)?,
        })
    }
}

fn place(text: &str, offset: usize) -> (usize, usize) {
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
        "white" => Color::White,
        "bright-black" => Color::DarkGray,
        _ => match value.strip_prefix('#').filter(|h| h.len() == 6).and_then(|h| u32::from_str_radix(h, 16).ok()) {
            Some(rgb) => Color::Rgb((rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8),
            None => {
                let (line, column) = text.find(&format!("\"{name}\"")).map_or((1, 1), |o| place(text, o));
                return Err(format!("{file}:{line}:{column}: `{name}` is no colour; write one of the palette, of the 16, or #rrggbb"));
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
        assert!(Theme::parse("t", &unknown).is_err_and(|e| e.contains("selekted")));
    }
}
