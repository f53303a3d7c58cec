use serde_json::{Value, json};

use super::choice::{Choice, Table};
use super::field::{Field, Kind};
use crate::dataset::Part;

/// The path of the word that says how parts are made.
pub const WAY: &str = "parts.split.way";

/// All ways that a person chooses.
const CHOSEN: &[&str] = &[
    "ratio",
    "by_folder",
    "by_folder_cut",
    "by_list",
    "by_group",
    "blocks",
    "stratified",
    "k_fold",
];

/// Those that share out.
const SHARED: &[&str] = &[
    "ratio",
    "by_folder",
    "by_list",
    "by_group",
    "blocks",
    "stratified",
];

/// How parts are made.
pub const WAYS: Table = Table {
    path: "parts.split",
    word: WAY,
    title: "What is held out",
    help: "How samples become those that are learned from, that choose, and that judge",
    choices: &[
        Choice {
            word: "",
            name: "As the data set says, else a tenth",
            help: "Parts that folders or lists of the data set state are taken over; where none is stated for validation, tiles of one image and frames of one recording stay together",
            begin: || Value::Null,
        },
        Choice {
            word: "ratio",
            name: "By shares",
            help: "Shares of the samples, drawn by name one by one, also where tiles of one image come apart",
            begin: || json!({ "way": "ratio" }),
        },
        Choice {
            word: "by_folder",
            name: "By folder",
            help: "The parts that folders state; shares of the rest",
            begin: || json!({ "way": "by_folder" }),
        },
        Choice {
            word: "by_folder_cut",
            name: "By folder, cut for judging",
            help: "The parts that folders state; of the validation part one half chooses and the other judges",
            begin: || json!({ "way": "by_folder_cut" }),
        },
        Choice {
            word: "by_list",
            name: "By lists of names",
            help: "Text files with a sample's name a line say what is in which part",
            begin: || json!({ "way": "by_list", "lists": {} }),
        },
        Choice {
            word: "by_group",
            name: "By group",
            help: "Shares of the samples; those of one place, drive or tile stay together",
            begin: || json!({ "way": "by_group", "group": { "by": "stated" } }),
        },
        Choice {
            word: "blocks",
            name: "By blocks",
            help: "Square blocks of the one image that is learned from; two images and more are refused",
            begin: || json!({ "way": "blocks" }),
        },
        Choice {
            word: "stratified",
            name: "Stratified",
            help: "Shares of the samples, each part with the same mixture of classes",
            begin: || json!({ "way": "stratified", "strata": { "by": "occurrence" } }),
        },
        Choice {
            word: "k_fold",
            name: "One fold of several",
            help: "One of equal portions validates, the rest trains",
            begin: || json!({ "way": "k_fold", "folds": 5, "fold": 0 }),
        },
    ],
};

const GROUPS: &[Choice] = &[
    Choice {
        word: "stated",
        name: "As the data set says",
        help: "What the data set states for each sample; samples of which it says nothing stand alone",
        begin: || json!({ "by": "stated" }),
    },
    Choice {
        word: "prefix",
        name: "By the first characters",
        help: "So many characters at the beginning of the name",
        begin: || json!({ "by": "prefix", "chars": 8 }),
    },
    Choice {
        word: "up_to",
        name: "By the name up to a separator",
        help: "Such as 0016E5 of 0016E5_07959 with the separator _",
        begin: || json!({ "by": "up_to", "separator": "_" }),
    },
    Choice {
        word: "digits",
        name: "By the first digits",
        help: "The digits that the name begins with, such as 17728720 of 17728720_0_1",
        begin: || json!({ "by": "digits" }),
    },
    Choice {
        word: "parent",
        name: "By the image of a tile",
        help: "The image that a tile was cut from, such as M-33-7-A-d-2-3 of M-33-7-A-d-2-3_12",
        begin: || json!({ "by": "parent" }),
    },
    Choice {
        word: "sequence",
        name: "By the recording of a frame",
        help: "The recording that a frame is of, such as 0016E5 of 0016E5_07959",
        begin: || json!({ "by": "sequence" }),
    },
    Choice {
        word: "known",
        name: "By image or recording",
        help: "The image that a tile was cut from, or else the recording that a frame is of, as names tell",
        begin: || json!({ "by": "known" }),
    },
    Choice {
        word: "folder",
        name: "By folder",
        help: "The folder that the image lies in",
        begin: || json!({ "by": "folder" }),
    },
];

/// Tables within a way, in the order of their rows.
pub const TABLES: &[Table] = &[
    Table {
        path: "parts.split.group",
        word: "parts.split.group.by",
        title: "Group",
        help: "What samples share that stay in one part",
        choices: GROUPS,
    },
    Table {
        path: "parts.split.strata",
        word: "parts.split.strata.by",
        title: "Mixture",
        help: "What the parts are to have alike",
        choices: &[
            Choice {
                word: "occurrence",
                name: "Which classes occur",
                help: "Samples that show the same classes are shared out alike",
                begin: || json!({ "by": "occurrence" }),
            },
            Choice {
                word: "coverage",
                name: "How much some classes cover",
                help: "Samples that some classes cover alike are shared out alike",
                begin: || json!({ "by": "coverage", "classes": [1], "bins": 4 }),
            },
        ],
    },
    Table {
        path: "parts.split.unit",
        word: "parts.split.unit.unit",
        title: "Unit",
        help: "What a fold is made of",
        choices: &[
            Choice {
                word: "file",
                name: "Files",
                help: "Each sample is in one fold",
                begin: || json!({ "unit": "file" }),
            },
            Choice {
                word: "group",
                name: "Groups of files",
                help: "Samples that belong together are in one fold",
                begin: || json!({ "unit": "group", "group": { "by": "stated" } }),
            },
            Choice {
                word: "block",
                name: "Blocks",
                help: "Square blocks of the one image that is learned from; two images and more are refused",
                begin: || json!({ "unit": "block", "side": 512 }),
            },
        ],
    },
    Table {
        path: "parts.split.unit.group",
        word: "parts.split.unit.group.by",
        title: "Group",
        help: "What samples share that stay in one fold",
        choices: GROUPS,
    },
];

/// A list of names: the part it is of, its path, what it is called and what it does.
pub type List = (Part, &'static str, &'static str, &'static str);

/// The lists of the way by list.
pub const LISTS: [List; 3] = [
    (
        Part::Train,
        "parts.split.lists.train",
        "Training list",
        "Names of what is learned from, one a line; without it all that no other list names",
    ),
    (
        Part::Validation,
        "parts.split.lists.validation",
        "Validation list",
        "Names of what chooses the epoch, one a line; without it a share of what is learned from",
    ),
    (
        Part::Test,
        "parts.split.lists.test",
        "Test list",
        "Names of what judges, one a line; without it nothing judges",
    ),
];

/// The classes whose pixels count, and what that means.
pub const CLASSES: (&str, &str) = (
    "parts.split.strata.classes",
    "The classes whose share of the labelled ground is compared",
);

/// What is held out, but for tables, lists and classes.
pub const PARTS: &[Field] = &[
    Field::whole(
        "parts.split.group.chars",
        ["Characters", "How many characters of the name make a group"],
        (1, 1_000),
    )
    .only("parts.split.group.by", &["prefix"]),
    Field::of(
        "parts.split.group.separator",
        ["Separator", "Where the group's name ends, such as _"],
        Kind::Text,
    )
    .only("parts.split.group.by", &["up_to"]),
    Field::whole(
        "parts.split.strata.bins",
        [
            "Bins",
            "Steps of coverage, each with equally many samples; none at all is a step of its own",
        ],
        (1, 1_000),
    )
    .only("parts.split.strata.by", &["coverage"]),
    Field::whole(
        "parts.split.folds",
        ["Folds", "Equal portions, of which one validates"],
        (2, 1_000),
    )
    .only(WAY, &["k_fold"]),
    Field::whole(
        "parts.split.fold",
        ["Fold", "The portion that validates, from 0"],
        (0, 999),
    )
    .only(WAY, &["k_fold"]),
    Field::whole(
        "parts.split.unit.group.chars",
        ["Characters", "How many characters of the name make a group"],
        (1, 1_000),
    )
    .only("parts.split.unit.group.by", &["prefix"]),
    Field::of(
        "parts.split.unit.group.separator",
        ["Separator", "Where the group's name ends, such as _"],
        Kind::Text,
    )
    .only("parts.split.unit.group.by", &["up_to"]),
    Field::whole(
        "parts.split.unit.side",
        ["Side of a block", "In pixels"],
        (32, 100_000),
    )
    .only("parts.split.unit.unit", &["block"]),
    Field::whole(
        "parts.split.side",
        ["Side of a block", "In pixels"],
        (32, 100_000),
    )
    .only(WAY, &["blocks"]),
    Field::whole(
        "parts.split.gap",
        [
            "Gap",
            "Frames of a recording that are left out between what chooses and what judges",
        ],
        (0, 100_000),
    )
    .only(WAY, &["by_folder_cut"]),
    Field::whole(
        "parts.split.margin",
        [
            "Distance",
            "Pixels that training patches keep from the blocks that were chosen",
        ],
        (0, 100_000),
    )
    .only(WAY, &["given"]),
    Field::real(
        "parts.split.shares.train",
        [
            "Training share",
            "In any unit: 90, 10 and 0 are the same as 0.9, 0.1 and 0",
        ],
        (0.0, 1e6),
    )
    .only(WAY, SHARED),
    Field::real(
        "parts.split.shares.validation",
        ["Validation share", "What chooses the epoch"],
        (0.0, 1e6),
    )
    .only(WAY, SHARED),
    Field::real(
        "parts.split.shares.test",
        ["Test share", "What judges, once"],
        (0.0, 1e6),
    )
    .only(WAY, SHARED),
    Field::whole(
        "parts.seed",
        [
            "Seed of the parts",
            "Which samples are held out follows from it and from their names",
        ],
        (0, u64::MAX),
    )
    .only(WAY, CHOSEN),
    Field::word(
        "parts.twins",
        [
            "Equal images",
            "Whether samples of equal pixels may be in different parts",
        ],
        &[("together", "Stay together"), ("apart", "May part")],
    )
    .only(WAY, CHOSEN),
];
