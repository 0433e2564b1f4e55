//! A screen as a file: plain text, text with colours, a picture.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// The lines of a screen.
pub fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let line: String = cells(buffer, y).map(|(_, cell)| cell.symbol()).collect();
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// The cells of a line that are shown: what stands behind a wide letter is none of its own.
fn cells(buffer: &Buffer, y: u16) -> impl Iterator<Item = (u16, &Cell)> {
    let mut hidden = 0;
    (0..buffer.area.width).filter_map(move |x| {
        let cell = &buffer[(buffer.area.x + x, buffer.area.y + y)];
        if hidden > 0 {
            hidden -= 1;
            return None;
        }
        hidden = unicode_width::UnicodeWidthStr::width(cell.symbol()).saturating_sub(1);
        Some((x, cell))
    })
}

/// The lines with their styles, as a terminal takes them.
pub fn ansi(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut last = String::new();
        for (_, cell) in cells(buffer, y) {
            let style = sgr(cell);
            if style != last {
                out.push_str(&style);
                last = style;
            }
            out.push_str(cell.symbol());
        }
        out.push_str("\x1b[0m\n");
    }
    out
}

fn sgr(cell: &Cell) -> String {
    let mut codes = vec!["0".to_string()];
    for (modifier, code) in [(Modifier::BOLD, "1"), (Modifier::UNDERLINED, "4"), (Modifier::REVERSED, "7")] {
        if cell.modifier.contains(modifier) {
            codes.push(code.to_string());
        }
    }
    codes.extend(colour_code(cell.fg, 30));
    codes.extend(colour_code(cell.bg, 40));
    format!("\x1b[{}m", codes.join(";"))
}

/// The place of a colour among the sixteen.
fn number(colour: Color) -> Option<u8> {
    Some(match colour {
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
        Color::Indexed(n) => n,
        Color::Reset | Color::Rgb(..) => return None,
    })
}

fn colour_code(colour: Color, base: u8) -> Option<String> {
    match (colour, number(colour)) {
        (Color::Rgb(r, g, b), _) => Some(format!("{};2;{r};{g};{b}", base + 8)),
        (Color::Indexed(n), _) => Some(format!("{};5;{n}", base + 8)),
        (_, Some(n @ 0..8)) => Some(format!("{}", base + n)),
        (_, Some(n)) => Some(format!("{}", base + 60 + n - 8)),
        _ => None,
    }
}

/// A picture that every browser shows, with selectable text.
pub fn svg(buffer: &Buffer) -> String {
    const WIDTH: u32 = 9;
    const HEIGHT: u32 = 18;
    let (cols, rows) = (u32::from(buffer.area.width), u32::from(buffer.area.height));
    let (width, height) = (cols * WIDTH, rows * HEIGHT);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"{NIGHT}\"/>\n\
         <g font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"15\" xml:space=\"preserve\">\n"
    );
    for y in 0..buffer.area.height {
        for (x, cell) in cells(buffer, y) {
            let reversed = cell.modifier.contains(Modifier::REVERSED);
            let (fg, bg) = if reversed { (cell.bg, cell.fg) } else { (cell.fg, cell.bg) };
            let ink = hex(fg).unwrap_or(if reversed { NIGHT.to_string() } else { INK.to_string() });
            let ground = hex(bg).or_else(|| reversed.then(|| INK.to_string()));
            let (left, top) = (u32::from(x) * WIDTH, u32::from(y) * HEIGHT);
            if let Some(ground) = ground {
                let wide = unicode_width::UnicodeWidthStr::width(cell.symbol()).max(1) as u32 * WIDTH;
                out.push_str(&format!("<rect x=\"{left}\" y=\"{top}\" width=\"{wide}\" height=\"{HEIGHT}\" fill=\"{ground}\"/>\n"));
            }
            if cell.symbol().trim().is_empty() {
                continue;
            }
            let weight = if cell.modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
            let line = if cell.modifier.contains(Modifier::UNDERLINED) {
                " text-decoration=\"underline\""
            } else {
                ""
            };
            let symbol = cell.symbol().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            out.push_str(&format!(
                "<text x=\"{left}\" y=\"{}\" fill=\"{ink}\"{weight}{line}>{symbol}</text>\n",
                top + 14
            ));
        }
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// What stands for the terminal's own colours in a picture.
const INK: &str = "#d8dbe2";
const NIGHT: &str = "#14161c";

fn hex(colour: Color) -> Option<String> {
    let (r, g, b) = match (colour, number(colour)) {
        (Color::Rgb(r, g, b), _) => (r, g, b),
        (_, Some(n)) => super::colour::rgb(n),
        _ => return None,
    };
    Some(format!("#{r:02x}{g:02x}{b:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Style;

    #[test]
    fn a_screen_is_saved_as_it_looks() {
        let mut buffer = Buffer::empty(ratatui::layout::Rect::new(0, 0, 6, 1));
        buffer.set_string(0, 0, "a<世", Style::new().fg(Color::Red).add_modifier(Modifier::BOLD));
        assert_eq!(text(&buffer), "a<世\n");
        assert!(ansi(&buffer).starts_with("\x1b[0;1;31ma<世"));
        let picture = svg(&buffer);
        assert!(
            picture.contains("&lt;")
                && picture.contains("font-weight=\"bold\"")
                && picture.contains("#cd3131"),
            "{picture}"
        );
    }
}
