//! Reads a file as far as it can be understood, so that all of its mistakes are found in one run.
//!
//! A value that is not understood is told with its place and left out, and the file is read once more without it, until the rest
//! is in order. Each reading goes through the YAML reader itself: what is understood, and how, is the same as everywhere.

use super::mistake::{self, Mistake, Place};
use super::names;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IgnoredAny, IntoDeserializer, MapAccess,
    SeqAccess, Visitor,
};
use serde_saphyr::{DuplicateKeyPolicy, Error, Spanned};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Keys and positions from the top of the file to a value.
pub type Path = Vec<String>;

/// What was read of a file.
#[derive(Debug)]
pub struct Reading<T> {
    /// `None`: nothing of it could be understood.
    pub value: Option<T>,
    pub mistakes: Vec<Mistake>,
    pub keys: Keys,
}

/// Where each key of a file stands, and what was left out.
#[derive(Debug)]
pub struct Keys {
    known: BTreeMap<Path, Place>,
    left_out: BTreeSet<Path>,
}

impl Keys {
    /// Where a key stands.
    pub fn key(&self, path: &[&str]) -> Option<Place> {
        let path: Path = path.iter().map(ToString::to_string).collect();
        self.known.get(&path).copied()
    }

    /// The keys below a mapping, whether or not their values were understood.
    pub fn keys_below<'a>(&'a self, path: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
        let below =
            move |key: &&Path| key.len() == path.len() + 1 && key.iter().zip(path).all(|(a, b)| a == b);
        self.known.keys().filter(below).filter_map(|key| key.last().map(String::as_str))
    }

    /// Nothing at or below this path was left out.
    pub fn is_whole(&self, path: &[&str]) -> bool {
        !self
            .left_out
            .iter()
            .any(|left| left.len() >= path.len() && left.iter().zip(path).all(|(a, b)| a == b))
    }
}

/// More mistakes than this are not looked for in one run.
const MOST: usize = 100;

/// Reads a file; what cannot be understood is left out and told.
pub fn read<T: DeserializeOwned>(file: &str, text: &str) -> Reading<T> {
    let mut track = Track::default();
    let mut mistakes = Vec::new();
    let mut value = settle(file, text, DuplicateKeyPolicy::Error, &mut track, &mut mistakes);
    // The mappings in which a key stands twice were left out whole. Now the first of the two counts.
    if !track.doubled.is_empty() {
        let doubled = std::mem::take(&mut track.doubled);
        track.left_out.retain(|path| {
            !doubled.iter().any(|d| path.starts_with(d)) && !doubled.iter().any(|d| d.starts_with(path))
        });
        value = settle(file, text, DuplicateKeyPolicy::FirstWins, &mut track, &mut mistakes);
    }
    mistakes.extend(track.told.into_inner().into_iter().map(|(at, (found, remedy))| Mistake {
        file: file.to_string(),
        at,
        found,
        remedy,
    }));
    Reading { value, mistakes, keys: Keys { known: track.keys.into_inner(), left_out: track.left_out } }
}

/// Reads until nothing more is to be left out.
fn settle<T: DeserializeOwned>(
    file: &str,
    text: &str,
    twice: DuplicateKeyPolicy,
    track: &mut Track,
    mistakes: &mut Vec<Mistake>,
) -> Option<T> {
    for _ in 0..MOST {
        track.path.borrow_mut().clear();
        let options = serde_saphyr::options! { duplicate_keys: twice };
        let read = serde_saphyr::with_deserializer_from_str_with_options(text, options, |de| {
            T::deserialize(Tracked { de, track, spanned: false })
        });
        let error = match read {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        let at = track.path.borrow().clone();
        let told = match error.without_snippet() {
            // It is missing because it was left out: that has been told.
            Error::SerdeMissingField { field, .. } => {
                !track.left_out.iter().any(|left| left.starts_with(&at) && is_like(left, &at, field))
            }
            Error::DuplicateMappingKey { .. } => {
                track.doubled.insert(at.clone());
                true
            }
            _ => true,
        };
        let mistake = mistake::from_yaml(file, &error);
        if told && !mistakes.contains(&mistake) {
            mistakes.push(mistake);
        }
        // What stands at the top cannot be left out, and one that was left out and still fails has broken the file's form.
        let mut at = at;
        while track.left_out.contains(&at) && !at.is_empty() {
            at.pop();
        }
        if at.is_empty() {
            return None;
        }
        track.left_out.insert(at);
    }
    None
}

/// A part of this mapping that was left out is the field, or would be but for a slip of the finger.
fn is_like(left: &Path, mapping: &Path, field: &str) -> bool {
    left.len() == mapping.len() + 1 && left.last().is_some_and(|key| mistake::distance(key, field) <= 2)
}

/// Where a reading is, and what it leaves out.
#[derive(Default)]
struct Track {
    path: RefCell<Path>,
    keys: RefCell<BTreeMap<Path, Place>>,
    left_out: BTreeSet<Path>,
    /// Mappings with a key that stands twice.
    doubled: BTreeSet<Path>,
    /// Mistakes after which the reading could go on.
    told: RefCell<BTreeMap<Place, (String, String)>>,
}

impl Track {
    /// Goes down to a value; false if it is left out.
    fn enter(&self, segment: String) -> bool {
        let mut path = self.path.borrow_mut();
        path.push(segment);
        !self.left_out.contains(&*path)
    }

    fn leave(&self) {
        self.path.borrow_mut().pop();
    }

    /// Notes where a key stands, and what is wrong with it.
    fn key(&self, key: &str, at: Place) {
        self.keys.borrow_mut().insert(self.path.borrow().clone(), at);
        if let Some((found, remedy)) = names::text_fault(key) {
            self.told.borrow_mut().insert(at, (found, remedy));
        }
    }
}

/// The name by which the reader knows a value that is wanted with its place.
const SPANNED: &str = "__yaml_spanned";

/// A deserializer that keeps the path.
struct Tracked<'t, D> {
    de: D,
    track: &'t Track,
    /// It stands for a value with its place: a mapping of the reader's own, whose `value` is the value.
    spanned: bool,
}

macro_rules! forward {
    ($($name:ident)*) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.de.$name(Watch { visitor, track: self.track, spanned: self.spanned })
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Tracked<'_, D> {
    type Error = D::Error;

    forward! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32 deserialize_f64
        deserialize_char deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf deserialize_option
        deserialize_unit deserialize_seq deserialize_map deserialize_identifier deserialize_ignored_any
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.de.deserialize_unit_struct(name, Watch { visitor, track: self.track, spanned: self.spanned })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.de
            .deserialize_newtype_struct(name, Watch { visitor, track: self.track, spanned: name == SPANNED })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, D::Error> {
        self.de.deserialize_tuple(len, Watch { visitor, track: self.track, spanned: self.spanned })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.de.deserialize_tuple_struct(
            name,
            len,
            Watch { visitor, track: self.track, spanned: self.spanned },
        )
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.de.deserialize_struct(name, fields, Watch { visitor, track: self.track, spanned: self.spanned })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.de.deserialize_enum(name, variants, Watch { visitor, track: self.track, spanned: self.spanned })
    }

    fn is_human_readable(&self) -> bool {
        self.de.is_human_readable()
    }
}

/// A visitor that goes on keeping the path, and looks at each text.
struct Watch<'t, V> {
    visitor: V,
    track: &'t Track,
    spanned: bool,
}

macro_rules! visit {
    ($($name:ident: $type:ty)*) => {$(
        fn $name<E: serde::de::Error>(self, value: $type) -> Result<V::Value, E> {
            self.visitor.$name(value)
        }
    )*};
}

macro_rules! visit_text {
    ($($name:ident: $type:ty)*) => {$(
        fn $name<E: serde::de::Error>(self, text: $type) -> Result<V::Value, E> {
            match names::text_fault(&text) {
                Some((found, remedy)) if !self.spanned => Err(E::custom(format!("{found}; {remedy}"))),
                _ => self.visitor.$name(text),
            }
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Watch<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.visitor.expecting(f)
    }

    visit! {
        visit_bool: bool visit_i8: i8 visit_i16: i16 visit_i32: i32 visit_i64: i64 visit_i128: i128 visit_u8: u8 visit_u16: u16 visit_u32: u32
        visit_u64: u64 visit_u128: u128 visit_f32: f32 visit_f64: f64 visit_char: char visit_bytes: &[u8] visit_borrowed_bytes: &'de [u8]
        visit_byte_buf: Vec<u8>
    }

    visit_text! { visit_str: &str visit_borrowed_str: &'de str visit_string: String }

    fn visit_none<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, de: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(Tracked { de, track: self.track, spanned: false })
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, de: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_newtype_struct(Tracked { de, track: self.track, spanned: self.spanned })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_seq(TrackedList { list, track: self.track, next: 0 })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        match self.spanned {
            true => self.visitor.visit_map(PlacedValue { map, track: self.track, next: 0 }),
            false => self.visitor.visit_map(TrackedMap { map, track: self.track }),
        }
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_enum(data)
    }
}

struct TrackedList<'t, A> {
    list: A,
    track: &'t Track,
    next: usize,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for TrackedList<'_, A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        let element = loop {
            let wanted = self.track.enter(self.next.to_string());
            self.next += 1;
            if wanted {
                break self.list.next_element_seed(TrackedSeed { seed, track: self.track })?;
            }
            let passed = self.list.next_element::<IgnoredAny>()?;
            self.track.leave();
            if passed.is_none() {
                return Ok(None);
            }
        };
        self.track.leave();
        Ok(element)
    }
}

struct TrackedMap<'t, A> {
    map: A,
    track: &'t Track,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for TrackedMap<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        loop {
            let Some(key) = self.map.next_key::<Spanned<String>>()? else { return Ok(None) };
            let wanted = self.track.enter(key.value.clone());
            self.track.key(&key.value, key.referenced.into());
            if wanted {
                return seed.deserialize(key.value.into_deserializer()).map(Some);
            }
            self.map.next_value::<IgnoredAny>()?;
            self.track.leave();
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        let value = self.map.next_value_seed(TrackedSeed { seed, track: self.track })?;
        self.track.leave();
        Ok(value)
    }
}

/// The mapping by which the reader hands over a value with its place: a mark, the value, and its places.
struct PlacedValue<'t, A> {
    map: A,
    track: &'t Track,
    next: usize,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for PlacedValue<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        self.map.next_key_seed(seed)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        self.next += 1;
        match self.next {
            2 => self.map.next_value_seed(TrackedSeed { seed, track: self.track }),
            _ => self.map.next_value_seed(seed),
        }
    }
}

struct TrackedSeed<'t, S> {
    seed: S,
    track: &'t Track,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for TrackedSeed<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<S::Value, D::Error> {
        self.seed.deserialize(Tracked { de, track: self.track, spanned: false })
    }
}
