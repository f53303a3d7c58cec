use super::csv::{Records, csv_line, csv_text};
use super::metrics_table::optional;
use super::words::exact;
use crate::label::ClassTable;
use crate::metrics::{ClassScores, Confusion, Scores};

/// 255 classes in the most epochs a table is read of.
const MOST_ROWS: usize = 500_000;
const HEADER: [&str; 8] = [
    "epoch",
    "class_index",
    "class",
    "iou",
    "precision",
    "recall",
    "f1",
    "support",
];

/// The scores of one class after one epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassEpoch {
    /// Epoch, from 1.
    pub epoch: u32,
    /// The scores on the validation ground.
    pub scores: ClassScores,
}

/// The rows as a `per_class.csv`; what does not exist is left empty.
pub(super) fn per_class_csv(rows: &[ClassEpoch]) -> String {
    let mut text = csv_line(HEADER);
    for ClassEpoch { epoch, scores } in rows {
        text.push_str(&csv_line([
            epoch.to_string(),
            scores.index.to_string(),
            scores.name.clone(),
            exact(scores.iou),
            exact(scores.precision),
            exact(scores.recall),
            exact(scores.f1),
            scores.support.to_string(),
        ]));
    }
    text
}

/// Reads a `per_class.csv`, whatever the bytes are: the rows, and how many cannot be read.
pub(super) fn parse_per_class(bytes: &[u8]) -> (Vec<ClassEpoch>, usize) {
    let text = csv_text(bytes);
    let (mut rows, mut damaged) = (Vec::new(), 0);
    for record in Records::new(&text).skip(1) {
        match row_of(record) {
            Some(row) if rows.len() < MOST_ROWS => rows.push(row),
            _ => damaged += 1,
        }
    }
    (rows, damaged)
}

fn row_of(record: Vec<String>) -> Option<ClassEpoch> {
    let [epoch, index, name, iou, precision, recall, f1, support] = record.try_into().ok()?;
    Some(ClassEpoch {
        epoch: epoch.parse().ok()?,
        scores: ClassScores {
            index: index.parse().ok()?,
            name,
            iou: optional(&iou).ok()?,
            precision: optional(&precision).ok()?,
            recall: optional(&recall).ok()?,
            f1: optional(&f1).ok()?,
            support: support.parse().ok()?,
        },
    })
}

/// The rows of `before` from earlier epochs, then those of this one. A training that goes on may
/// do an epoch again.
pub(super) fn with_epoch(
    mut before: Vec<ClassEpoch>,
    epoch: u32,
    scores: &Scores,
) -> Vec<ClassEpoch> {
    before.retain(|row| row.epoch < epoch);
    before.extend(scores.per_class.iter().map(|scores| ClassEpoch {
        epoch,
        scores: scores.clone(),
    }));
    before
}

/// The counts as a `confusion.csv`: a row a true class, a column a predicted one, and a last
/// column of pixels that have no prediction.
pub(super) fn confusion_csv(confusion: &Confusion, classes: &ClassTable) -> String {
    let num_classes = confusion.num_classes();
    let names: Vec<String> = (0..num_classes)
        .map(|class| classes.name_of(class as u8))
        .collect();
    let mut header = vec!["truth \\ prediction".to_owned()];
    header.extend(names.iter().cloned());
    header.push("unpredicted".to_owned());
    let mut text = csv_line(header);
    for (truth, name) in names.iter().enumerate() {
        let mut fields = vec![name.clone()];
        let counts =
            (0..num_classes).map(|predicted| confusion.count(truth, predicted).to_string());
        fields.extend(counts);
        fields.push(confusion.unpredicted_of(truth).to_string());
        text.push_str(&csv_line(fields));
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scores() -> (Confusion, Scores) {
        let mut confusion = Confusion::new(2);
        confusion.add(&[0, 0, 0, 1, 1], &[0, 0, 1, 1, 255]);
        let scores = Scores::new(&confusion, &ClassTable::road());
        (confusion, scores)
    }

    #[test]
    fn tables_are_as_computed_by_hand() {
        let (confusion, scores) = scores();
        let rows = with_epoch(Vec::new(), 3, &scores);
        let name = |index| ClassTable::road().name_of(index);
        assert_eq!(
            per_class_csv(&rows),
            format!(
                "epoch,class_index,class,iou,precision,recall,f1,support\n\
                 3,0,{},0.666667,1.000000,0.666667,0.800000,3\n\
                 3,1,{},0.333333,0.500000,0.500000,0.500000,2\n",
                name(0),
                name(1)
            )
        );
        assert_eq!(
            confusion_csv(&confusion, &ClassTable::road()),
            format!(
                "truth \\ prediction,{0},{1},unpredicted\n{0},2,1,0\n{1},0,1,1\n",
                name(0),
                name(1)
            )
        );
    }

    #[test]
    fn an_epoch_done_again_replaces_itself_and_what_came_after() {
        let (_, scores) = scores();
        let mut rows = Vec::new();
        for epoch in [1, 2, 3, 2] {
            rows = with_epoch(rows, epoch, &scores);
        }
        let epochs: Vec<u32> = rows.iter().map(|row| row.epoch).collect();
        assert_eq!(epochs, [1, 1, 2, 2]);
        let text = per_class_csv(&rows);
        let (read, damaged) = parse_per_class(text.as_bytes());
        assert_eq!((per_class_csv(&read), damaged), (text, 0));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let (rows, damaged) = parse_per_class(&bytes);
            prop_assert!(rows.len() + damaged <= bytes.len());
        }
    }
}
