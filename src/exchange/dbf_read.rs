use serde_json::{Map, Number, Value};

use super::code_page::CodePage;

/// The attributes of a shapefile: a dBASE table, which is taken apart row by row.
pub(super) struct Table<'a> {
    fields: Vec<Field>,
    rows: &'a [u8],
    row_length: usize,
    page: CodePage,
}

struct Field {
    name: String,
    kind: u8,
    /// From the start of a row.
    start: usize,
    end: usize,
}

const HEAD: usize = 32;
const FIELD: usize = 32;

impl<'a> Table<'a> {
    /// The table of a `.dbf` file; without a code page that of its head, or UTF-8.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(super) fn new(file: &'a [u8], page: Option<CodePage>) -> Result<Self, &'static str> {
        const CUT_OFF: &str = "the .dbf file is cut off";
        let head = file.first_chunk::<HEAD>().ok_or(CUT_OFF)?;
        let word = |at: usize| usize::from(u16::from_le_bytes([head[at], head[at + 1]]));
        let (head_length, row_length) = (word(8), word(10));
        let described = file.get(HEAD..head_length).ok_or(CUT_OFF)?;
        let page = page
            .or(CodePage::by_driver(head[29]))
            .unwrap_or(CodePage::Utf8);
        let mut fields = Vec::new();
        let mut start = 1;
        for field in described
            .chunks_exact(FIELD)
            .take_while(|field| field[0] != b'\r')
        {
            let (name, _) =
                field[..11].split_at(field[..11].iter().position(|&b| b == 0).unwrap_or(11));
            let end = start + usize::from(field[16]);
            fields.push(Field {
                name: page.decode(name).trim().to_owned(),
                kind: field[11],
                start,
                end,
            });
            start = end;
        }
        if row_length == 0 || start > row_length {
            return Err("the fields of the .dbf file are longer than its rows");
        }
        Ok(Self {
            fields,
            rows: &file[head_length..],
            row_length,
            page,
        })
    }

    /// The attributes of a row, counted from 0, without empty ones; none for a row that is not
    /// there, and `None` for one that is marked as deleted.
    pub(super) fn row(&self, index: usize) -> Option<Map<String, Value>> {
        let start = index.checked_mul(self.row_length);
        let row = start.and_then(|start| self.rows.get(start..)?.get(..self.row_length));
        let Some(row) = row else {
            return Some(Map::new());
        };
        if row[0] == b'*' {
            return None;
        }
        let values = self.fields.iter().filter_map(|field| {
            let value = field.value(&row[field.start..field.end], self.page)?;
            Some((field.name.clone(), value))
        });
        Some(values.collect())
    }
}

impl Field {
    /// `None` for what is empty and for kinds that are kept in another file.
    fn value(&self, bytes: &[u8], page: CodePage) -> Option<Value> {
        let end = bytes.iter().position(|&byte| byte == 0);
        let text = page.decode(&bytes[..end.unwrap_or(bytes.len())]);
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        match self.kind {
            b'N' | b'F' => {
                let whole = text.parse::<i64>().ok().map(Value::from);
                let float = || Number::from_f64(text.parse().ok()?).map(Value::Number);
                whole.or_else(float)
            }
            b'L' => match text {
                "T" | "t" | "Y" | "y" => Some(Value::Bool(true)),
                "F" | "f" | "N" | "n" => Some(Value::Bool(false)),
                _ => None,
            },
            b'C' | b'D' => Some(Value::from(text)),
            _ => None,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// A `.dbf` file of fields (name, kind, length) and rows that are already padded.
    pub(in super::super) fn table(fields: &[(&str, u8, u8)], rows: &[&[u8]]) -> Vec<u8> {
        let head_length = (HEAD + FIELD * fields.len() + 1) as u16;
        let row_length = fields.iter().map(|field| u16::from(field.2)).sum::<u16>() + 1;
        let mut file = vec![3, 126, 1, 1];
        file.extend((rows.len() as u32).to_le_bytes());
        file.extend(head_length.to_le_bytes());
        file.extend(row_length.to_le_bytes());
        file.resize(HEAD, 0);
        for (name, kind, length) in fields {
            let mut field = name.as_bytes().to_vec();
            field.resize(11, 0);
            field.push(*kind);
            field.resize(16, 0);
            field.push(*length);
            field.resize(FIELD, 0);
            file.extend(field);
        }
        file.push(b'\r');
        file.extend(rows.concat());
        file
    }

    fn example() -> Vec<u8> {
        let fields = [
            ("class", b'N', 3),
            ("w", b'F', 5),
            ("name", b'C', 8),
            ("ok", b'L', 1),
        ];
        let rows: [&[u8]; 3] = [
            b"   7 2.50road    T",
            b"*  82.5  gone    F",
            "    *****Łódź  ?".as_bytes(),
        ];
        table(&fields, &rows)
    }

    #[test]
    fn rows_have_their_attributes() {
        let file = example();
        let table = Table::new(&file, None).expect("a table");
        let row = |index| table.row(index).map(Value::Object);
        let first = json!({"class": 7, "w": 2.5, "name": "road", "ok": true});
        assert_eq!(row(0), Some(first));
        assert_eq!(row(1), None);
        assert_eq!(row(2), Some(json!({"name": "Łódź"})));
        assert_eq!(row(3), Some(json!({})));
        assert_eq!(row(usize::MAX), Some(json!({})));
    }

    #[test]
    fn lengths_are_not_trusted() {
        let mut file = example();
        file[HEAD + 16] = 200;
        assert!(Table::new(&file, None).is_err());
        let mut file = example();
        file[8..10].copy_from_slice(&u16::MAX.to_le_bytes());
        assert!(Table::new(&file, None).is_err());
        assert!(Table::new(&file[..20], None).is_err());
    }

    proptest! {
        #[test]
        fn damaged_bytes_do_no_harm(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
            length: prop::sample::Index,
        ) {
            let mut file = example();
            for (at, value) in changes {
                let at = at.index(file.len());
                file[at] = value;
            }
            file.truncate(length.index(file.len() + 1));
            if let Ok(table) = Table::new(&file, None) {
                for index in 0..5 {
                    prop_assert!(table.row(index).is_none_or(|row| row.len() <= file.len()));
                }
            }
        }
    }
}
