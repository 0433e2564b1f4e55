//! The terminal that frames are written to. One that does not tell its size counts as one of the usual size.

use super::out::Out;
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use std::io;

/// The size of a terminal that says nothing of it, or says 0x0: columns and rows.
pub const USUAL: Size = Size { width: 80, height: 24 };

/// A size as it is drawn for.
#[must_use]
pub const fn drawable(told: Size) -> Size {
    if told.width == 0 || told.height == 0 { USUAL } else { told }
}

/// What a terminal says of its size, as it is drawn for.
#[must_use]
pub fn size() -> Size {
    crossterm::terminal::size().map_or(USUAL, |(width, height)| drawable(Size { width, height }))
}

/// The library's terminal, with a size in every case.
pub struct SizedBackend(pub CrosstermBackend<Out>);

impl Backend for SizedBackend {
    type Error = io::Error;

    fn draw<'a, I: Iterator<Item = (u16, u16, &'a Cell)>>(&mut self, content: I) -> io::Result<()> {
        self.0.draw(content)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.0.hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.0.show_cursor()
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.0.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.0.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.0.clear()
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        self.0.clear_region(region)
    }

    fn size(&self) -> io::Result<Size> {
        Ok(self.0.size().map_or(USUAL, drawable))
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        let told = self.0.window_size()?;
        Ok(WindowSize { columns_rows: drawable(told.columns_rows), ..told })
    }

    fn flush(&mut self) -> io::Result<()> {
        Backend::flush(&mut self.0)
    }
}
