use std::fmt;

use serde::de::value::{MapAccessDeserializer, MapDeserializer};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Constant, Cosine, Exponential, OneCycle, Polynomial, Schedule, Steps};

impl Schedule {
    /// The word for this schedule when all of it is as the word alone says.
    fn word(&self) -> Option<&'static str> {
        let (word, usual) = match self {
            Self::Constant(_) => ("constant", Self::Constant(Constant::default())),
            Self::Step(_) => ("step", Self::Step(Steps::default())),
            Self::Exponential(_) => ("exponential", Self::Exponential(Exponential::default())),
            Self::Cosine(_) => ("cosine", Self::Cosine(Cosine::default())),
            Self::Polynomial(_) => ("polynomial", Self::Polynomial(Polynomial::default())),
            Self::OneCycle(_) => ("one_cycle", Self::OneCycle(OneCycle::default())),
        };
        (*self == usual).then_some(word)
    }
}

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.word() {
            Some(word) => serializer.serialize_str(word),
            None => Self::serialize(self, serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordOrTable)
    }
}

/// Reads a schedule in either spelling, with errors that name what is wrong.
struct WordOrTable;

impl<'de> Visitor<'de> for WordOrTable {
    type Value = Schedule;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of a schedule or a table with its kind")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Schedule, E> {
        Schedule::deserialize(MapDeserializer::new([("kind", word)].into_iter()))
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Schedule, A::Error> {
        Schedule::deserialize(MapAccessDeserializer::new(table))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct File {
        before: u32,
        schedule: Schedule,
        after: u32,
    }

    fn read(schedule: &str) -> Result<File, toml::de::Error> {
        toml::from_str(&format!("before = 1\nafter = 2\n{schedule}\n"))
    }

    #[track_caller]
    fn check_read(text: &str, expected: Schedule) {
        let file = read(text).expect("a schedule");
        assert_eq!(file.schedule, expected);
        let again = toml::to_string(&file).expect("text");
        assert_eq!(toml::from_str::<File>(&again).expect("a schedule"), file);
    }

    #[test]
    fn words_and_tables_are_read_and_written() {
        check_read("schedule = \"cosine\"", Schedule::default());
        check_read(
            "schedule = \"constant\"",
            Schedule::Constant(Constant::default()),
        );
        check_read(
            "schedule = { kind = \"one_cycle\" }",
            Schedule::OneCycle(OneCycle::default()),
        );
        check_read(
            "[schedule]\nkind = \"cosine\"\nwarm_up = 7\nrestart_epochs = 4\n",
            Schedule::Cosine(Cosine {
                warm_up: Some(7),
                restart_epochs: 4,
                ..Cosine::default()
            }),
        );
        let factor = 0.5;
        check_read(
            "schedule = { kind = \"step\", factor = 0.5 }",
            Schedule::Step(Steps {
                factor,
                ..Steps::default()
            }),
        );
    }

    #[test]
    fn the_usual_ones_are_written_as_words() {
        for (schedule, word) in [
            (Schedule::default(), "\"cosine\""),
            (Schedule::Constant(Constant::default()), "\"constant\""),
            (Schedule::OneCycle(OneCycle::default()), "\"one_cycle\""),
        ] {
            assert_eq!(serde_json::to_string(&schedule).expect("text"), word);
        }
    }

    #[test]
    fn errors_name_what_is_wrong() {
        for (text, word) in [
            ("schedule = \"cosin\"", "cosin"),
            ("schedule = { kind = \"step\", power = 2.0 }", "power"),
            ("schedule = 3", "name of a schedule"),
        ] {
            let error = read(text).expect_err("a misspelling").to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
