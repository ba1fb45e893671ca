//! `inventory`: nodes from a table of the design, a row each.
//!
//! Describes only; `resolve/inventory.rs` reads the table. Columns are spec paths by their own names, or renamed
//! here; a column of no interest is ignored by name, so that none is lost by a slip of the pen.

use crate::design::schema::{Shape, Type, slot};

pub const INVENTORY: Shape = Shape::keyed("inventory", "")
    .arguments(&[slot("file", Type::File).at("file").required()])
    .properties(&[
        slot("as", Type::OneOf(&["nodes"])).or("nodes"),
        slot("key", Type::Text).or("name"),
        slot("profile", Type::Reference("profile")),
        slot("separator", Type::OneOf(&["comma", "semicolon", "tab"])).or("comma"),
    ])
    .children(&[&[
        // `{}` in `as=` stands for the cell: column "bmc ip" "bmc.address" as="https://{}".
        Shape::keyed("column", "columns")
            .arguments(&[slot("column", Type::Text).required(), slot("path", Type::Text).required()])
            .properties(&[slot("as", Type::Text)]),
        Shape::many("ignore").arguments(&[slot("column", Type::Text).at("ignore").rest().required()]),
    ]]);
