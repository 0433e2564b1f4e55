//! Colours for terminals that have fewer of them: 256, or the 16 that every terminal names.

use ratatui::style::Color;

/// How many colours the terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    Sixteen,
    Indexed,
    True,
}

/// The nearest colour that a terminal of this depth has.
pub fn within(colour: Color, depth: Depth) -> Color {
    match (colour, depth) {
        (Color::Rgb(r, g, b), Depth::Indexed) => Color::Indexed(indexed(r, g, b)),
        (Color::Rgb(r, g, b), Depth::Sixteen) => sixteen(r, g, b),
        (Color::Indexed(n), Depth::Sixteen) => {
            let (r, g, b) = rgb(n);
            sixteen(r, g, b)
        }
        (other, _) => other,
    }
}

/// The nearest of the 6×6×6 cube and of the greys (xterm's 256 colours).
fn indexed(r: u8, g: u8, b: u8) -> u8 {
    (16..=255).min_by_key(|n| distance((r, g, b), rgb(*n))).unwrap_or(15)
}

/// What xterm shows for a number; the first 16 as most terminals do.
pub fn rgb(n: u8) -> (u8, u8, u8) {
    const NAMED: [(u8, u8, u8); 16] = [
        (0, 0, 0),
        (205, 49, 49),
        (13, 188, 121),
        (229, 229, 16),
        (36, 114, 200),
        (188, 63, 188),
        (17, 168, 205),
        (229, 229, 229),
        (102, 102, 102),
        (241, 76, 76),
        (35, 209, 139),
        (245, 245, 67),
        (59, 142, 234),
        (214, 112, 214),
        (41, 184, 219),
        (255, 255, 255),
    ];
    let step = |v: u8| if v == 0 { 0 } else { 55 + 40 * v };
    match n {
        0..16 => NAMED[usize::from(n)],
        16..232 => (step((n - 16) / 36), step((n - 16) / 6 % 6), step((n - 16) % 6)),
        _ => {
            let grey = 8 + 10 * (n - 232);
            (grey, grey, grey)
        }
    }
}

fn sixteen(r: u8, g: u8, b: u8) -> Color {
    const NAMES: [Color; 16] = [
        Color::Black,
        Color::Red,
        Color::Green,
        Color::Yellow,
        Color::Blue,
        Color::Magenta,
        Color::Cyan,
        Color::Gray,
        Color::DarkGray,
        Color::LightRed,
        Color::LightGreen,
        Color::LightYellow,
        Color::LightBlue,
        Color::LightMagenta,
        Color::LightCyan,
        Color::White,
    ];
    // What is nearly grey stays grey: a tint must not become a colour with a meaning.
    let (most, least) = (r.max(g).max(b), r.min(g).min(b));
    if most - least < 40 {
        return match most {
            0..64 => Color::Black,
            64..150 => Color::DarkGray,
            150..230 => Color::Gray,
            _ => Color::White,
        };
    }
    let nearest = (1..7u8).chain(9..15).min_by_key(|n| distance((r, g, b), rgb(*n))).unwrap_or(7);
    NAMES[usize::from(nearest)]
}

/// How far apart two colours look, with the eye's weights.
fn distance(a: (u8, u8, u8), b: (u8, u8, u8)) -> u32 {
    let d = |x: u8, y: u8| u32::from(x.abs_diff(y)).pow(2);
    2 * d(a.0, b.0) + 4 * d(a.1, b.1) + 3 * d(a.2, b.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_colours_keep_their_meaning() {
        for (from, depth, to) in [
            (Color::Rgb(255, 0, 0), Depth::True, Color::Rgb(255, 0, 0)),
            (Color::Rgb(255, 0, 0), Depth::Indexed, Color::Indexed(196)),
            (Color::Rgb(8, 8, 8), Depth::Indexed, Color::Indexed(232)),
            (Color::Rgb(255, 107, 94), Depth::Sixteen, Color::LightRed),
            (Color::Rgb(127, 182, 133), Depth::Sixteen, Color::LightGreen),
            (Color::Rgb(123, 132, 148), Depth::Sixteen, Color::DarkGray),
            (Color::Indexed(196), Depth::Sixteen, Color::Red),
            (Color::Cyan, Depth::Sixteen, Color::Cyan),
        ] {
            assert_eq!(within(from, depth), to, "{from:?} {depth:?}");
        }
    }
}
