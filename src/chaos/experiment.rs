//! Reading an experiment, JSON or YAML, and finding what is wrong in it before anything is run.

use super::provider::Provider;
use super::strategy::{Rollbacks, Strategy};
use super::substitute::Values;
use super::tolerance::Tolerance;
use crate::config::{Mistake, Place, parse_yaml, read_text};
use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::Spanned;
use std::path::Path;

#[derive(Debug)]
pub struct Experiment {
    pub title: String,
    /// As it was written, for the journal.
    pub raw: Value,
    pub values: Values,
    /// The probes of the steady state; none: there is nothing to hold.
    pub hypothesis: Vec<Activity>,
    pub method: Vec<Activity>,
    pub rollbacks: Vec<Activity>,
    /// How it is to be run, as far as the file says.
    pub runtime: Runtime,
}

/// What a file says of its own run; the command line has the last word.
#[derive(Clone, Copy, Debug, Default)]
pub struct Runtime {
    pub strategy: Option<Strategy>,
    pub rollbacks: Option<Rollbacks>,
}

#[derive(Clone, Debug)]
pub struct Activity {
    pub name: String,
    pub probe: bool,
    /// As it was written, for the journal.
    pub raw: Value,
    pub provider: Provider,
    pub tolerance: Option<Tolerance>,
    pub background: bool,
}

#[derive(Deserialize)]
struct ExperimentFile {
    title: Option<Spanned<String>>,
    description: Option<Spanned<String>>,
    #[serde(default)]
    configuration: Option<Spanned<Value>>,
    #[serde(default)]
    secrets: Option<Spanned<Value>>,
    #[serde(rename = "steady-state-hypothesis")]
    hypothesis: Option<Spanned<HypothesisFile>>,
    method: Option<Vec<Spanned<ActivityFile>>>,
    #[serde(default)]
    rollbacks: Vec<Spanned<ActivityFile>>,
    controls: Option<Spanned<Value>>,
    runtime: Option<Spanned<Value>>,
}

#[derive(Deserialize)]
struct HypothesisFile {
    title: Option<String>,
    #[serde(default)]
    probes: Vec<Spanned<ActivityFile>>,
}

#[derive(Deserialize)]
struct ActivityFile {
    #[serde(rename = "ref")]
    reference: Option<Spanned<String>>,
    #[serde(rename = "type")]
    kind: Option<Spanned<String>>,
    name: Option<String>,
    provider: Option<Spanned<ProviderFile>>,
    tolerance: Option<Spanned<Value>>,
    #[serde(default)]
    background: bool,
}

#[derive(Deserialize)]
struct ProviderFile {
    #[serde(rename = "type")]
    kind: Option<Spanned<String>>,
    path: Option<String>,
    #[serde(default)]
    arguments: Value,
    #[serde(default)]
    timeout: Value,
    url: Option<String>,
    method: Option<String>,
    #[serde(default)]
    headers: Value,
    verify_tls: Option<bool>,
}

impl Experiment {
    /// Reads an experiment from disk.
    ///
    /// # Errors
    /// The first mistake in it, with its place.
    pub fn load(path: &Path) -> Result<Experiment, Mistake> {
        Experiment::parse(&path.display().to_string(), &read_text(path)?)
    }

    /// Reads an experiment from a text; `file` is for the messages.
    ///
    /// # Errors
    /// The first mistake in it, with its place.
    pub fn parse(file: &str, text: &str) -> Result<Experiment, Mistake> {
        let raw: Value = parse_yaml(file, text)?;
        let read: ExperimentFile = parse_yaml(file, text)?;
        let none = Values::default();
        let reader = Reader { file, values: &none };
        let top = Place { line: 1, column: 1 };
        let words = |value: Option<Spanned<String>>, what: &str| match value {
            Some(text) if !text.value.trim().is_empty() => Ok(text.value),
            Some(text) => Err(reader.mistake(
                place(&text),
                format!("the {what} is empty"),
                "say what the experiment is about",
            )),
            None => Err(reader.mistake(
                top,
                format!("an experiment without a {what}"),
                "say what the experiment is about",
            )),
        };
        let title = words(read.title, "title")?;
        words(read.description, "description")?;
        if let Some(controls) = &read.controls {
            return Err(reader.mistake(
                place(controls),
                "controls are not supported: they are Python's".to_string(),
                "leave them out",
            ));
        }
        let runtime = read.runtime.map_or(Ok(Runtime::default()), |runtime| reader.runtime(&runtime))?;
        let values = Values::new(
            read.configuration.as_ref().map(|v| &v.value),
            read.secrets.as_ref().map(|v| &v.value),
        )
        .map_err(|found| {
            let at = read.configuration.as_ref().or(read.secrets.as_ref()).map_or(top, place);
            let remedy = if found.len() == 1 {
                "set it in the environment, or give it a `default`"
            } else {
                "set each in the environment, or give it a `default`"
            };
            reader.mistake(at, found.join("; "), remedy)
        })?;
        let reader = Reader { values: &values, ..reader };
        let list = |name: &str| raw.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        let hypothesis = match read.hypothesis {
            None => Vec::new(),
            Some(h) if h.value.title.as_deref().is_none_or(|t| t.trim().is_empty()) => {
                return Err(reader.mistake(
                    place(&h),
                    "a steady state without a title".to_string(),
                    "name it with `title`",
                ));
            }
            Some(h) => {
                let raw: Vec<Value> =
                    raw["steady-state-hypothesis"]["probes"].as_array().cloned().unwrap_or_default();
                let probes = reader.activities(h.value.probes, raw, &[])?;
                if let Some((probe, at)) = probes.iter().find(|(p, _)| p.tolerance.is_none()) {
                    return Err(reader.mistake(
                        *at,
                        format!("`{}` has no tolerance", probe.name),
                        "say what it must find, with `tolerance`",
                    ));
                }
                probes
            }
        };
        let Some(method) = read.method else {
            return Err(reader.mistake(
                top,
                "an experiment without a method".to_string(),
                "add `method`; an empty list only checks the steady state",
            ));
        };
        let method = reader.activities(method, list("method"), &hypothesis)?;
        let known: Vec<_> = hypothesis.iter().chain(&method).cloned().collect();
        let rollbacks = reader.activities(read.rollbacks, list("rollbacks"), &known)?;
        let plain = |list: Vec<(Activity, Place)>| list.into_iter().map(|(a, _)| a).collect();
        let (hypothesis, method, rollbacks) = (plain(hypothesis), plain(method), plain(rollbacks));
        Ok(Experiment { title, raw, hypothesis, method, rollbacks, runtime, values })
    }
}

fn place<T>(value: &Spanned<T>) -> Place {
    value.referenced.into()
}

struct Reader<'a> {
    file: &'a str,
    values: &'a Values,
}

impl Reader<'_> {
    fn mistake(&self, at: Place, found: String, remedy: &str) -> Mistake {
        Mistake { file: self.file.to_string(), at, found, remedy: remedy.to_string() }
    }

    /// `runtime` of a file: when the steady state is looked at, and when the rollbacks are run.
    fn runtime(&self, read: &Spanned<Value>) -> Result<Runtime, Mistake> {
        let word = |part: &str| match &read.value[part]["strategy"] {
            Value::Null => Ok(None),
            Value::String(word) => Ok(Some(word.clone())),
            other => Err(format!("the strategy of `{part}` is {other}, which is no text")),
        };
        let strategy = || word("hypothesis")?.map(|w| w.parse::<Strategy>()).transpose();
        let rollbacks = || word("rollbacks")?.map(|w| w.parse::<Rollbacks>()).transpose();
        let runtime = strategy().and_then(|strategy| Ok(Runtime { strategy, rollbacks: rollbacks()? }));
        runtime.map_err(|found| {
            self.mistake(place(read), found, "see `runtime` in the reference of the Chaos Toolkit")
        })
    }

    /// `known`: what came before, for references.
    fn activities(
        &self,
        read: Vec<Spanned<ActivityFile>>,
        raw: Vec<Value>,
        known: &[(Activity, Place)],
    ) -> Result<Vec<(Activity, Place)>, Mistake> {
        let mut list: Vec<(Activity, Place)> = Vec::new();
        for (activity, raw) in read.into_iter().zip(raw) {
            let at = place(&activity);
            let one = match &activity.value.reference {
                Some(name) => {
                    let same = |(a, _): &&(Activity, Place)| a.name == name.value;
                    let found = known.iter().chain(&list).find(same).map(|(a, _)| a.clone());
                    found.ok_or_else(|| {
                        self.mistake(
                            place(name),
                            format!("nothing before is called `{}`", name.value),
                            "name an earlier activity",
                        )
                    })?
                }
                None => self.activity(at, activity.value, raw)?,
            };
            list.push((one, at));
        }
        Ok(list)
    }

    fn activity(&self, at: Place, read: ActivityFile, raw: Value) -> Result<Activity, Mistake> {
        let probe = match &read.kind {
            Some(kind) if kind.value == "probe" => true,
            Some(kind) if kind.value == "action" => false,
            Some(kind) => {
                return Err(self.mistake(
                    place(kind),
                    format!("`{}` is no kind of activity", kind.value),
                    "write probe or action",
                ));
            }
            None => {
                return Err(self.mistake(
                    at,
                    "an activity without a type".to_string(),
                    "write `type`: probe or action",
                ));
            }
        };
        let name = read.name.filter(|n| !n.trim().is_empty());
        let name = name
            .ok_or_else(|| self.mistake(at, "an activity without a name".to_string(), "give it a `name`"))?;
        let Some(provider) = read.provider else {
            return Err(self.mistake(
                at,
                format!("`{name}` has no provider"),
                "say who does it: `provider` with `type` process or http",
            ));
        };
        let activity_at = at;
        let at = place(&provider);
        let provider = self.provider(at, provider.value, &name)?;
        let tolerance =
            match read.tolerance {
                None => None,
                Some(t) => Some(Tolerance::read(&t.value, self.values).map_err(|found| {
                    self.mistake(place(&t), found, "see the reference of the Chaos Toolkit")
                })?),
            };
        if read.background && probe && tolerance.is_some() {
            return Err(self.mistake(
                at,
                format!("`{name}` is awaited by nobody"),
                "a probe with a tolerance cannot run in the background",
            ));
        }
        let pauses = self.values.fill(&raw["pauses"]);
        for when in ["before", "after"] {
            super::provider::seconds(&pauses[when]).map_err(|found| {
                self.mistake(
                    activity_at,
                    format!("the pause {when} `{name}`: {found}"),
                    "write seconds, such as 1.5, or a variable with such a value",
                )
            })?;
        }
        Ok(Activity { name, probe, raw, provider, tolerance, background: read.background })
    }

    fn provider(&self, at: Place, read: ProviderFile, name: &str) -> Result<Provider, Mistake> {
        let missing =
            |what: &str| self.mistake(at, format!("the provider of `{name}` has no {what}"), "add it");
        let kind = read.kind.as_ref().ok_or_else(|| missing("type"))?;
        super::provider::limit(&self.values.fill(&read.timeout)).map_err(|found| {
            self.mistake(
                at,
                format!("the timeout of `{name}`: {found}"),
                "write seconds, such as 1.5, or a variable with such a value",
            )
        })?;
        match kind.value.as_str() {
            "process" => {
                let path = read.path.filter(|p| !p.is_empty()).ok_or_else(|| missing("path"))?;
                if super::provider::program(&path).is_none() {
                    return Err(self.mistake(
                        at,
                        format!("`{path}` of `{name}` is no program here"),
                        "install it, or name it with its path",
                    ));
                }
                Ok(Provider::Process { path, arguments: read.arguments, timeout: read.timeout })
            }
            "http" => Ok(Provider::Http {
                url: read.url.filter(|u| !u.is_empty()).ok_or_else(|| missing("url"))?,
                method: read.method.unwrap_or_else(|| "GET".to_string()).to_uppercase(),
                headers: read.headers,
                arguments: read.arguments,
                timeout: read.timeout,
                verify_tls: read.verify_tls.unwrap_or(true),
            }),
            "python" => Err(self.mistake(
                place(kind),
                format!("`{name}` needs a Python module, which only the Chaos Toolkit itself can load"),
                "use a process or http provider, for example `bpci chaos act`",
            )),
            other => {
                Err(self.mistake(place(kind), format!("`{other}` is no provider"), "write process or http"))
            }
        }
    }
}
