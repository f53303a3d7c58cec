use std::str::FromStr;

use super::csv::{Records, csv_text};
use crate::train::EpochRow;

/// A training has no more epochs than a recipe may ask for.
const MOST_ROWS: usize = 100_000;

/// What `metrics.csv` says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct MetricsTable {
    /// The names of the columns of class scores, by class index.
    pub(super) class_names: Vec<String>,
    /// The rows that can be read.
    pub(super) rows: Vec<EpochRow>,
    /// How many cannot.
    pub(super) damaged: usize,
}

/// Where a column of the file goes.
enum Column {
    Named(String),
    ClassIou(usize),
}

impl MetricsTable {
    /// Reads a `metrics.csv` as trainings write it, whatever the bytes are. Columns are known by
    /// their names; a row without an epoch, with another number of fields than the header, or with
    /// a field that is no number counts as damaged.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let text = csv_text(bytes);
        let mut records = Records::new(&text);
        let mut table = Self::default();
        let Some(header) = records.next() else {
            return table;
        };
        let mut columns = Vec::with_capacity(header.len());
        for name in header {
            columns.push(match name.strip_prefix("iou_") {
                Some(class) => {
                    table.class_names.push(class.to_owned());
                    Column::ClassIou(table.class_names.len() - 1)
                }
                None => Column::Named(name),
            });
        }
        for record in records {
            if record.len() == 1 && record[0].is_empty() {
                continue;
            }
            match row_of(&columns, &record, table.class_names.len()) {
                Some(row) if table.rows.len() < MOST_ROWS => table.rows.push(row),
                _ => table.damaged += 1,
            }
        }
        table
    }
}

fn row_of(columns: &[Column], record: &[String], num_classes: usize) -> Option<EpochRow> {
    if columns.len() != record.len() {
        return None;
    }
    let mut row = EpochRow {
        train_loss: f64::NAN,
        val_loss: f64::NAN,
        per_class_iou: vec![None; num_classes],
        lr: f64::NAN,
        ..EpochRow::default()
    };
    for (column, field) in columns.iter().zip(record) {
        let value = || optional::<f64>(field).ok();
        match column {
            Column::ClassIou(class) => row.per_class_iou[*class] = value()?,
            Column::Named(name) => match name.as_str() {
                "epoch" => row.epoch = field.parse().ok()?,
                "train_loss" => row.train_loss = field.parse().ok()?,
                "val_loss" => row.val_loss = field.parse().ok()?,
                "mean_iou" => row.mean_iou = value()?,
                "pixel_accuracy" => row.pixel_accuracy = value()?,
                "majority_baseline" => row.majority_baseline = value()?,
                "lr" => row.lr = field.parse().ok()?,
                "plateau_share" => row.plateau_share = value()?,
                "seconds" => row.seconds = field.parse().ok()?,
                "data_seconds" => row.data_seconds = field.parse().ok()?,
                "compute_seconds" => row.compute_seconds = field.parse().ok()?,
                "peak_bytes" => row.peak_bytes = optional(field).ok()?,
                "best" => row.best = field.parse().ok()?,
                _ => {}
            },
        }
    }
    (row.epoch > 0).then_some(row)
}

/// The number of a field that may be empty.
///
/// # Errors
/// When it is neither.
pub(super) fn optional<T: FromStr>(field: &str) -> Result<Option<T>, T::Err> {
    if field.is_empty() {
        return Ok(None);
    }
    field.parse().map(Some)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::label::{Class, ClassTable};
    use crate::train::epoch::metrics_csv;

    #[test]
    fn a_row_that_was_cut_short_is_counted_and_the_rest_is_read() {
        let text = "epoch,train_loss,val_loss,mean_iou,pixel_accuracy,\"iou_grass, dry\",iou_road,\
                    lr,seconds,best\n\
                    1,0.500000,NaN,0.750000,1.000000,0.750000,,1e-3,2.00,true\n\
                    2,0.4000";
        let table = MetricsTable::parse(text.as_bytes());
        assert_eq!(table.class_names, ["grass, dry", "road"]);
        assert_eq!((table.rows.len(), table.damaged), (1, 1));
        let row = &table.rows[0];
        assert_eq!((row.epoch, row.train_loss, row.lr), (1, 0.5, 1e-3));
        assert!(row.val_loss.is_nan() && row.best);
        assert_eq!(row.per_class_iou, [Some(0.75), None]);
        // The table is of a version that did not measure these.
        assert_eq!((row.data_seconds, row.compute_seconds), (0.0, 0.0));
        assert_eq!((row.majority_baseline, row.plateau_share), (None, None));
        assert_eq!(row.peak_bytes, None);
    }

    #[test]
    fn older_and_newer_columns_do_no_harm() {
        let table = MetricsTable::parse(b"epoch,val_loss,new\r\n3,0.25,x\r\n\r\n0,1,x\r\n");
        assert_eq!((table.rows.len(), table.damaged), (1, 1));
        assert_eq!((table.rows[0].epoch, table.rows[0].val_loss), (3, 0.25));
        assert!(table.rows[0].train_loss.is_nan());
    }

    fn any_ratio() -> impl Strategy<Value = Option<f64>> {
        prop::option::of(0.0..=1.0)
    }

    fn any_row() -> impl Strategy<Value = EpochRow> {
        let losses = (
            1_u32..100_000,
            0.0..50.0,
            prop_oneof![0.0..50.0, Just(f64::INFINITY)],
        );
        let scores = (
            any_ratio(),
            any_ratio(),
            prop::collection::vec(any_ratio(), 2),
        );
        let rest = (1e-9..1.0, 0.0..1e6, any::<bool>(), any::<Option<u64>>());
        (losses, scores, rest).prop_map(
            |(
                (epoch, train_loss, val_loss),
                (mean_iou, pixel_accuracy, ious),
                (lr, seconds, best, peak_bytes),
            )| {
                EpochRow {
                    epoch,
                    train_loss,
                    val_loss,
                    mean_iou,
                    pixel_accuracy,
                    majority_baseline: mean_iou,
                    per_class_iou: ious,
                    lr,
                    plateau_share: pixel_accuracy,
                    seconds,
                    data_seconds: seconds / 4.0,
                    compute_seconds: seconds / 2.0,
                    peak_bytes,
                    best,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_to_the_printed_digits(
            rows in prop::collection::vec(any_row(), 1..5), name in "[^\r]{0,12}[a-z]"
        ) {
            let classes = vec![Class::new(0, name.clone(), [0; 3]), Class::new(1, "b", [1; 3])];
            let classes = ClassTable::new(None, classes).expect("a table");
            let text = metrics_csv(&rows, &classes);
            let read = MetricsTable::parse(text.as_bytes());
            prop_assert_eq!(read.damaged, 0);
            prop_assert_eq!(&read.class_names, &[name, "b".to_owned()]);
            prop_assert_eq!(metrics_csv(&read.rows, &classes), text);
            for (read, row) in read.rows.iter().zip(&rows) {
                prop_assert_eq!((read.epoch, read.lr, read.best), (row.epoch, row.lr, row.best));
                let [of_read, of_row] = [read, row].map(|row| (row.plateau_share, row.peak_bytes));
                prop_assert_eq!(of_read, of_row);
                prop_assert!((read.train_loss - row.train_loss).abs() <= 5.1e-7);
            }
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            MetricsTable::parse(&bytes);
            let mut behind_a_header = b"epoch,iou_a,best\n".to_vec();
            behind_a_header.extend(bytes);
            MetricsTable::parse(&behind_a_header);
        }
    }
}
