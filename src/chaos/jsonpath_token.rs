//! The words of a JSONPath.

use serde_json::Value;
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Contains,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Root,
    Current,
    Descent,
    Dot,
    All,
    BracketLeft,
    BracketRight,
    ParenLeft,
    ParenRight,
    Colon,
    Comma,
    Question,
    And,
    Or,
    Not,
    Compare(Comparison),
    /// `true`, `false` or `null`.
    Word(Value),
    Name(String),
    /// Without its quotes; what is escaped in it stays so, as in jsonpath2.
    Text(String),
    /// As it is written.
    Number(String),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self {
            Token::Root => "$",
            Token::Current => "@",
            Token::Descent => "..",
            Token::Dot => ".",
            Token::All => "*",
            Token::BracketLeft => "[",
            Token::BracketRight => "]",
            Token::ParenLeft => "(",
            Token::ParenRight => ")",
            Token::Colon => ":",
            Token::Comma => ",",
            Token::Question => "?",
            Token::And => "and",
            Token::Or => "or",
            Token::Not => "not",
            Token::Compare(Comparison::Equal) => "=",
            Token::Compare(Comparison::NotEqual) => "!=",
            Token::Compare(Comparison::Less) => "<",
            Token::Compare(Comparison::AtMost) => "<=",
            Token::Compare(Comparison::Greater) => ">",
            Token::Compare(Comparison::AtLeast) => ">=",
            Token::Compare(Comparison::Contains) => "contains",
            Token::Word(value) => return write!(f, "`{value}`"),
            Token::Name(name) => name,
            Token::Text(text) => return write!(f, "`\"{text}\"`"),
            Token::Number(number) => number,
        };
        write!(f, "`{sign}`")
    }
}

/// # Errors
/// The first sign that no path has.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut rest = text;
    let mut list = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r']);
        let Some(first) = rest.chars().next() else { return Ok(list) };
        let (token, length) = match first {
            '"' => quoted(rest)?,
            '-' | '0'..='9' => number(rest)?,
            '_' | 'A'..='Z' | 'a'..='z' => word(rest),
            _ => sign(rest)?,
        };
        list.push(token);
        rest = &rest[length..];
    }
}

fn sign(rest: &str) -> Result<(Token, usize), String> {
    if rest.starts_with("==") {
        return Err("equality is written `=` here, as in jsonpath2".to_string());
    }
    let signs = [
        ("..", Token::Descent),
        ("!=", Token::Compare(Comparison::NotEqual)),
        ("<=", Token::Compare(Comparison::AtMost)),
        (">=", Token::Compare(Comparison::AtLeast)),
        ("<", Token::Compare(Comparison::Less)),
        (">", Token::Compare(Comparison::Greater)),
        ("=", Token::Compare(Comparison::Equal)),
        ("$", Token::Root),
        ("@", Token::Current),
        (".", Token::Dot),
        ("*", Token::All),
        ("[", Token::BracketLeft),
        ("]", Token::BracketRight),
        ("(", Token::ParenLeft),
        (")", Token::ParenRight),
        (":", Token::Colon),
        (",", Token::Comma),
        ("?", Token::Question),
    ];
    let found = signs.into_iter().find(|(sign, _)| rest.starts_with(sign));
    found.map(|(sign, token)| (token, sign.len())).ok_or_else(|| {
        let first = rest.chars().next().unwrap_or_default();
        let quotes = if first == '\'' { "; texts stand in double quotes" } else { "" };
        format!("`{first}` has no meaning there{quotes}")
    })
}

fn word(rest: &str) -> (Token, usize) {
    let length = rest.find(|c: char| !(c == '_' || c.is_ascii_alphanumeric())).unwrap_or(rest.len());
    let token = match &rest[..length] {
        "and" => Token::And,
        "or" => Token::Or,
        "not" => Token::Not,
        "contains" => Token::Compare(Comparison::Contains),
        "true" => Token::Word(Value::Bool(true)),
        "false" => Token::Word(Value::Bool(false)),
        "null" => Token::Word(Value::Null),
        name => Token::Name(name.to_string()),
    };
    (token, length)
}

fn number(rest: &str) -> Result<(Token, usize), String> {
    let length = rest[1..]
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E')))
        .map_or(rest.len(), |n| n + 1);
    let mut text = &rest[..length];
    // `1..2` is no number: the dots are the path's.
    if let Some(dots) = text.find("..") {
        text = &text[..dots];
    }
    match serde_json::from_str::<serde_json::Number>(text) {
        Ok(_) => Ok((Token::Number(text.to_string()), text.len())),
        Err(_) => Err(format!("`{text}` is not a number")),
    }
}

fn quoted(rest: &str) -> Result<(Token, usize), String> {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '"' if !escaped => return Ok((Token::Text(rest[1..at].to_string()), at + 1)),
            '\0'..='\u{1f}' => break,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    Err("a text does not end with a double quote".to_string())
}
