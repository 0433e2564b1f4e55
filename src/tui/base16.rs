//! A base16 scheme as the text of a theme: <https://github.com/tinted-theming/home>, `styling.md`.

use serde::Deserialize;
use std::collections::BTreeMap;

/// Both forms that are about: the colours at the top, or under `palette`.
#[derive(Deserialize)]
struct Scheme {
    #[serde(default)]
    palette: BTreeMap<String, String>,
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

/// A scheme in the words of a theme's file: what its sixteen colours are for decides which role they get.
///
/// # Errors
/// It is no YAML, or a colour is missing or none.
pub fn translate(file: &str, text: &str) -> Result<String, String> {
    let scheme: Scheme = serde_saphyr::from_str(text).map_err(|e| format!("{file}: {e}"))?;
    let mut palette = String::new();
    for n in 0..16 {
        let name = format!("base{n:02X}");
        let value = scheme
            .palette
            .get(&name)
            .map(String::as_str)
            .or_else(|| scheme.rest.get(&name).and_then(|v| v.as_str()));
        let value = value.ok_or_else(|| {
            format!("{file}:1:1: the colour `{name}` is missing; a base16 scheme has base00 to base0F")
        })?;
        let hex = value.trim_start_matches('#');
        if hex.len() != 6 || u32::from_str_radix(hex, 16).is_err() {
            let line = text.lines().position(|l| l.trim_start().starts_with(&name)).map_or(1, |l| l + 1);
            return Err(format!("{file}:{line}:1: `{value}` is no colour; write six hexadecimal digits"));
        }
        palette.push_str(&format!("{name} = \"#{hex}\"\n"));
    }
    let roles = r#"
[roles]
text = { fg = "base05", bg = "base00" }
dim = { fg = "base04", bg = "base00" }
strong = { fg = "base07", bg = "base00", bold = true }
title = { fg = "base0C", bg = "base00", bold = true }
ok = { fg = "base0B", bg = "base00" }
warn = { fg = "base0A", bg = "base00" }
bad = { fg = "base08", bg = "base00", bold = true }
accent = { fg = "base0D", bg = "base00", bold = true }
key = { fg = "base0C", bg = "base00" }
live = { fg = "base00", bg = "base08", bold = true }
drill = { fg = "base00", bg = "base0A", bold = true }
simulation = { fg = "base00", bg = "base0D", bold = true }
replay = { fg = "base00", bg = "base0E", bold = true }
selected = { reverse = true }
"#;
    Ok(format!("[palette]\n{palette}{roles}"))
}

#[cfg(test)]
mod tests {
    use crate::tui::Theme;

    #[test]
    fn both_forms_are_read_and_mistakes_placed() {
        let colours: String = (0..16).map(|n| format!("base{n:02X}: \"{n:02x}{n:02x}80\"\n")).collect();
        assert!(Theme::parse_base16("s.yaml", &format!("scheme: x\nauthor: y\n{colours}")).is_ok());
        let under: String = colours.lines().map(|l| format!("  {}\n", l.replace(": \"", ": \"#"))).collect();
        assert!(
            Theme::parse_base16("s.yaml", &format!("system: base16\nname: x\npalette:\n{under}")).is_ok()
        );
        assert!(
            Theme::parse_base16("s.yaml", "scheme: x\n").is_err_and(|e| e.contains("`base00` is missing"))
        );
        let wrong = colours.replace("\"030380\"", "\"greenish\"");
        assert!(
            Theme::parse_base16("s.yaml", &wrong).is_err_and(|e| e.starts_with("s.yaml:4:1: `greenish`"))
        );
    }
}
