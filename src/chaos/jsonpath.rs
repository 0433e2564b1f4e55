//! JSONPath as the Chaos Toolkit reads it: the grammar and the meaning of Python's jsonpath2. It differs from RFC 9535:
//! equality is `=`, texts stand in double quotes, a filter is asked of the element itself, and `or` binds closer than `and`.
//!
//! Not read: calls such as `length()`.

use super::jsonpath_token::{Comparison, Token, tokens};
use serde_json::Value;

/// A path that was understood.
#[derive(Clone, Debug)]
pub struct JsonPath {
    steps: Vec<Step>,
}

/// One step on the way: the values that it leads to from each value that it is asked of.
#[derive(Clone, Debug)]
struct Step {
    /// Also from every value below that one.
    descends: bool,
    subscripts: Vec<Subscript>,
}

#[derive(Clone, Debug)]
enum Subscript {
    Name(String),
    Index(i64),
    Slice {
        start: Option<i64>,
        end: Option<i64>,
        step: Option<i64>,
    },
    All,
    Filter(Expression),
    /// The name or the number that another path leads to.
    Of(Operand),
}

#[derive(Clone, Debug)]
enum Expression {
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Not(Box<Expression>),
    /// The path leads somewhere, or the value is a true one.
    Some(Operand),
    Compare(Operand, Comparison, Operand),
}

#[derive(Clone, Debug)]
enum Operand {
    /// From the whole document.
    Root(Vec<Step>),
    /// From the value that is asked.
    Current(Vec<Step>),
    Literal(Value),
}

/// Expressions and paths within one another are read up to this depth.
const DEEP: usize = 64;

impl JsonPath {
    /// # Errors
    /// What is wrong with it, and what to write.
    pub fn parse(text: &str) -> Result<JsonPath, String> {
        let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
        if !parser.takes(&Token::Root) {
            return Err("it does not begin with `$`".to_string());
        }
        let steps = parser.steps()?;
        match parser.peek() {
            None => Ok(JsonPath { steps }),
            Some(token) => Err(format!("{token} is not expected there")),
        }
    }

    /// The values that it leads to, in their order.
    ///
    /// # Errors
    /// Something is asked of a value that cannot be asked of it.
    pub fn find<'a>(&'a self, root: &'a Value) -> Result<Vec<&'a Value>, String> {
        follow(&self.steps, root, root)
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn takes(&mut self, token: &Token) -> bool {
        let is = self.peek() == Some(token);
        self.at += usize::from(is);
        is
    }

    fn expects(&mut self, token: &Token) -> Result<(), String> {
        if self.takes(token) { Ok(()) } else { Err(self.missing(&token.to_string())) }
    }

    /// What should stand here instead of what does.
    fn missing(&self, what: &str) -> String {
        self.peek().map_or_else(
            || format!("it ends where {what} is missing"),
            |token| format!("{token} stands where {what} is missing"),
        )
    }

    fn next(&mut self, what: &str) -> Result<Token, String> {
        let token = self.peek().cloned().ok_or_else(|| self.missing(what))?;
        self.at += 1;
        Ok(token)
    }

    /// Every step from here on.
    fn steps(&mut self) -> Result<Vec<Step>, String> {
        let mut steps = Vec::new();
        loop {
            let (descends, dotted) = match self.peek() {
                Some(Token::Descent) => (true, true),
                Some(Token::Dot) => (false, true),
                Some(Token::BracketLeft) => (false, false),
                _ => return Ok(steps),
            };
            self.at += usize::from(dotted);
            let brackets = self.peek() == Some(&Token::BracketLeft) && (descends || !dotted);
            let subscripts = if brackets { self.subscripts()? } else { vec![self.bareword()?] };
            steps.push(Step { descends, subscripts });
        }
    }

    fn bareword(&mut self) -> Result<Subscript, String> {
        match self.next("a name or `*`")? {
            Token::All => Ok(Subscript::All),
            Token::Name(name) if self.peek() == Some(&Token::ParenLeft) => Err(call(&name)),
            Token::Name(name) => Ok(Subscript::Name(name)),
            other => Err(format!(
                "{other} stands where a name or `*` is missing; write a name with other signs as [\"…\"]"
            )),
        }
    }

    fn subscripts(&mut self) -> Result<Vec<Subscript>, String> {
        self.expects(&Token::BracketLeft)?;
        let mut list = vec![self.subscript()?];
        while self.takes(&Token::Comma) {
            list.push(self.subscript()?);
        }
        self.expects(&Token::BracketRight)?;
        Ok(list)
    }

    fn subscript(&mut self) -> Result<Subscript, String> {
        let what = "a text in double quotes, a number, `*`, a slice or a filter";
        match self.peek() {
            Some(Token::Colon) => return self.slice(None),
            Some(Token::Root | Token::Current) => return Ok(Subscript::Of(self.operand()?)),
            _ => {}
        }
        match self.next(what)? {
            Token::Text(text) => Ok(Subscript::Name(text)),
            Token::Number(number) => {
                let index = whole(&number)?;
                if self.peek() == Some(&Token::Colon) {
                    self.slice(Some(index))
                } else {
                    Ok(Subscript::Index(index))
                }
            }
            Token::All => Ok(Subscript::All),
            Token::Question => {
                self.expects(&Token::ParenLeft)?;
                let expression = self.expression()?;
                self.expects(&Token::ParenRight)?;
                Ok(Subscript::Filter(expression))
            }
            Token::Name(name) if self.peek() == Some(&Token::ParenLeft) => Err(call(&name)),
            other => Err(format!("{other} stands where {what} is missing")),
        }
    }

    fn slice(&mut self, start: Option<i64>) -> Result<Subscript, String> {
        self.expects(&Token::Colon)?;
        let end = self.number()?;
        let step = if self.takes(&Token::Colon) { self.number()? } else { None };
        if step == Some(0) {
            Err("a slice by steps of 0 has no end".to_string())
        } else {
            Ok(Subscript::Slice { start, end, step })
        }
    }

    fn number(&mut self) -> Result<Option<i64>, String> {
        let Some(Token::Number(number)) = self.peek() else { return Ok(None) };
        let number = whole(number)?;
        self.at += 1;
        Ok(Some(number))
    }

    /// `and` of expressions with `or`, which binds closer.
    fn expression(&mut self) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > DEEP {
            return Err("it is nested too deeply".to_string());
        }
        let mut all = vec![self.alternatives()?];
        while self.takes(&Token::And) {
            all.push(self.alternatives()?);
        }
        self.depth -= 1;
        Ok(if all.len() == 1 { all.remove(0) } else { Expression::And(all) })
    }

    fn alternatives(&mut self) -> Result<Expression, String> {
        let mut any = vec![self.denied()?];
        while self.takes(&Token::Or) {
            any.push(self.denied()?);
        }
        Ok(if any.len() == 1 { any.remove(0) } else { Expression::Or(any) })
    }

    fn denied(&mut self) -> Result<Expression, String> {
        let mut negations = 0_u32;
        while self.takes(&Token::Not) {
            negations += 1;
        }
        let expression = if self.takes(&Token::ParenLeft) {
            let inner = self.expression()?;
            self.expects(&Token::ParenRight)?;
            inner
        } else {
            let left = self.operand()?;
            match self.peek() {
                Some(Token::Compare(comparison)) => {
                    let comparison = *comparison;
                    self.at += 1;
                    Expression::Compare(left, comparison, self.operand()?)
                }
                _ => Expression::Some(left),
            }
        };
        Ok(if negations % 2 == 1 { Expression::Not(Box::new(expression)) } else { expression })
    }

    fn operand(&mut self) -> Result<Operand, String> {
        self.depth += 1;
        if self.depth > DEEP {
            return Err("it is nested too deeply".to_string());
        }
        let operand = if self.takes(&Token::Root) {
            Operand::Root(self.steps()?)
        } else if self.takes(&Token::Current) {
            Operand::Current(self.steps()?)
        } else {
            Operand::Literal(self.literal()?)
        };
        self.depth -= 1;
        Ok(operand)
    }

    fn literal(&mut self) -> Result<Value, String> {
        match self.next("a path or a value")? {
            Token::Text(text) => Ok(Value::String(text)),
            Token::Number(number) => {
                serde_json::from_str(&number).map_err(|_| format!("`{number}` is not a number"))
            }
            Token::Word(value) => Ok(value),
            other => Err(format!(
                "{other} stands where a path or a value is missing; texts stand in double quotes"
            )),
        }
    }
}

fn call(name: &str) -> String {
    format!(
        "the call `{name}()` is not supported here; find the value itself, and count with `count` or compare with `expect`"
    )
}

fn whole(number: &str) -> Result<i64, String> {
    number.parse().map_err(|_| format!("`{number}` is not a place in a list"))
}

fn follow<'a>(steps: &'a [Step], root: &'a Value, value: &'a Value) -> Result<Vec<&'a Value>, String> {
    let Some((step, rest)) = steps.split_first() else { return Ok(vec![value]) };
    let mut found = Vec::new();
    for subscript in &step.subscripts {
        for next in subscript.of(root, value)? {
            found.extend(follow(rest, root, next)?);
        }
    }
    if step.descends {
        // The value itself, then each value below it in its turn.
        for below in children(value) {
            found.extend(follow(steps, root, below)?);
        }
    }
    Ok(found)
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Object(map) => map.values().collect(),
        Value::Array(list) => list.iter().collect(),
        _ => Vec::new(),
    }
}

impl Subscript {
    fn of<'a>(&'a self, root: &'a Value, value: &'a Value) -> Result<Vec<&'a Value>, String> {
        Ok(match self {
            Subscript::Name(name) => named(value, name).into_iter().collect(),
            Subscript::Index(index) => indexed(value, *index).into_iter().collect(),
            Subscript::Slice { start, end, step } => {
                let length = value.as_array().map_or(0, Vec::len);
                slice(length, *start, *end, step.unwrap_or(1))
                    .into_iter()
                    .filter_map(|i| indexed(value, i))
                    .collect()
            }
            Subscript::All => children(value),
            Subscript::Filter(expression) => {
                if expression.holds(root, value)? {
                    vec![value]
                } else {
                    Vec::new()
                }
            }
            Subscript::Of(operand) => {
                operand.values(root, value)?.into_iter().filter_map(|key| keyed(value, key)).collect()
            }
        })
    }
}

fn named<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.as_object()?.get(name)
}

/// Counted from the end if it is negative.
fn indexed(value: &Value, index: i64) -> Option<&Value> {
    let list = value.as_array()?;
    let from_end = || list.len().checked_sub(usize::try_from(index.unsigned_abs()).ok()?);
    let place = if index < 0 { from_end()? } else { usize::try_from(index).ok()? };
    list.get(place)
}

fn keyed<'a>(value: &'a Value, key: &Value) -> Option<&'a Value> {
    match key {
        Value::String(name) => named(value, name),
        Value::Bool(is) => indexed(value, i64::from(*is)),
        key => indexed(value, key.as_i64()?),
    }
}

/// The places of a slice as jsonpath2 counts them; those outside the list lead nowhere.
fn slice(length: usize, start: Option<i64>, end: Option<i64>, step: i64) -> Vec<i64> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let start = start.map_or(0, |s| match s {
        0.. => s,
        _ if s.saturating_abs() < length => s.saturating_add(length),
        _ => 0,
    });
    let end = end.map_or(length, |e| if e < 0 { e.saturating_add(length) } else { e });
    let (mut places, mut at) = (Vec::new(), start);
    // No more than one turn around the list in either direction names a value.
    while (step > 0 && at < end.min(length)) || (step < 0 && at > end.max(-length - 1)) {
        places.push(at);
        at = at.saturating_add(step);
    }
    places
}

impl Operand {
    fn values<'a>(&'a self, root: &'a Value, current: &'a Value) -> Result<Vec<&'a Value>, String> {
        match self {
            Operand::Root(steps) => follow(steps, root, root),
            Operand::Current(steps) => follow(steps, root, current),
            Operand::Literal(value) => Ok(vec![value]),
        }
    }
}

impl Expression {
    fn holds(&self, root: &Value, current: &Value) -> Result<bool, String> {
        Ok(match self {
            Expression::And(list) => {
                for one in list {
                    if !one.holds(root, current)? {
                        return Ok(false);
                    }
                }
                true
            }
            Expression::Or(list) => {
                for one in list {
                    if one.holds(root, current)? {
                        return Ok(true);
                    }
                }
                false
            }
            Expression::Not(inner) => !inner.holds(root, current)?,
            Expression::Some(Operand::Literal(value)) => is_true(value),
            Expression::Some(operand) => !operand.values(root, current)?.is_empty(),
            Expression::Compare(left, comparison, right) => {
                let right = right.values(root, current)?;
                for one in left.values(root, current)? {
                    for other in &right {
                        if compares(one, *comparison, other)? {
                            return Ok(true);
                        }
                    }
                }
                false
            }
        })
    }
}

/// What Python takes for true.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is) => *is,
        Value::Number(n) => n.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// A number as Python compares it: true is 1.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_bool().map(|is| f64::from(u8::from(is))))
}

/// Python's `==`: 1 is 1.0, and true.
pub fn equals(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equals(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| equals(v, w)))
        }
        _ if a == b => true,
        _ => number(a).zip(number(b)).is_some_and(|(a, b)| a.total_cmp(&b).is_eq()),
    }
}

fn compares(one: &Value, comparison: Comparison, other: &Value) -> Result<bool, String> {
    let order = || number(one).zip(number(other)).and_then(|(a, b)| a.partial_cmp(&b));
    Ok(match comparison {
        Comparison::Equal => equals(one, other),
        Comparison::NotEqual => !equals(one, other),
        // Only numbers are less or more than one another.
        Comparison::Less => order().is_some_and(std::cmp::Ordering::is_lt),
        Comparison::AtMost => order().is_some_and(std::cmp::Ordering::is_le),
        Comparison::Greater => order().is_some_and(std::cmp::Ordering::is_gt),
        Comparison::AtLeast => order().is_some_and(std::cmp::Ordering::is_ge),
        Comparison::Contains => match (one, other) {
            (Value::Array(list), one) => list.iter().any(|v| equals(v, one)),
            (Value::Object(map), Value::String(name)) => map.contains_key(name),
            (Value::String(text), Value::String(part)) => text.contains(part.as_str()),
            (one, other) => return Err(format!("`contains` cannot be asked of {one} and {other}")),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What jsonpath2 1.1 finds, path by path (its own examples and the shared cases).
    #[test]
    fn a_path_leads_where_the_toolkit_says() {
        let store = json!({
            "items": [{ "s": "up", "n": 1 }, { "s": "down", "n": 2 }], "list": [10, 11, 12, 13], "key": "n", "deep": { "n": 3, "in": { "n": 4.0 } },
            "text": "hello", "yes": true,
        });
        for (path, expected) in [
            ("$", json!([store])),
            ("$.items[*].n", json!([1, 2])),
            // A filter is asked of the element itself.
            (r#"$.items[*][?(@.s="up")].n"#, json!([1])),
            (r#"$.items[?(@.s="up")].n"#, json!([])),
            (r#"$.items[*][?(@.s != "up")].n"#, json!([2])),
            (r#"$.items[*][?(@.n >= 1 and @.s="down")].n"#, json!([2])),
            // `or` binds closer than `and`: (n=1) and (n=2 or n=1).
            (r#"$.items[*][?(@.n=1 and @.n=2 or @.n=1)].n"#, json!([1])),
            (r#"$.items[*][?(not @.missing)].n"#, json!([1, 2])),
            (r#"$.items[*][?(@.s contains "ow")].n"#, json!([2])),
            (r#"$[?(@.text = "hello")].key"#, json!(["n"])),
            ("$.list[-1]", json!([13])),
            ("$.list[1:3]", json!([11, 12])),
            ("$.list[::2]", json!([10, 12])),
            ("$.list[:-1]", json!([10, 11, 12])),
            ("$.list[0,2]", json!([10, 12])),
            ("$.list[9]", json!([])),
            (r#"$["deep"]["in"]["n"]"#, json!([4.0])),
            ("$.deep..n", json!([3, 4.0])),
            ("$.items[0][$.key]", json!([1])),
            // Python's equality.
            ("$.deep.in[?(@.n = 4)].n", json!([4.0])),
            ("$[?(@.yes = 1)].yes", json!([true])),
        ] {
            let read = JsonPath::parse(path).unwrap_or_else(|e| panic!("{path}: {e}"));
            let found = read.find(&store).unwrap_or_else(|e| panic!("{path}: {e}"));
            assert_eq!(json!(found), expected, "{path}");
        }
    }

    #[test]
    fn what_the_toolkit_does_not_read_is_refused() {
        for path in [
            "",
            "items",
            "$.",
            "$[",
            "$.items[*][?(@.s==\"up\")]",
            "$.items[*][?(@.s='up')]",
            "$.a b",
            "$.items.length()",
            "$.a[1.5]",
            "$.a[0:1:0]",
            "$.true",
            "$.items[?(@.n = )]",
            "$['a']",
        ] {
            assert!(JsonPath::parse(path).is_err(), "{path}");
        }
        assert!(
            JsonPath::parse(&format!("$[?({}@{})]", "(".repeat(500), ")".repeat(500)))
                .is_err_and(|e| e.contains("deep"))
        );
        let asked = JsonPath::parse("$.n[?(@ contains 1)]").unwrap_or_else(|e| panic!("{e}"));
        assert!(asked.find(&json!({ "n": 5 })).is_err(), "neither yes nor no");
    }
}
