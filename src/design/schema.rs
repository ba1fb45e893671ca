//! The declarative schema: what a KDL node of each kind may hold, and where its values go.
//!
//! Owns the vocabulary (`Shape`, `Slot`, `Type`) in which `kinds/` describes the language. From one
//! description follow reading, unknown-name findings with suggestions, type errors, places and merging.
//! It deliberately does nothing itself: `read.rs` walks it.
//!
//! Merging needs no word of its own, because it follows from the tree that a shape builds: a map merges by
//! key, a list merges child first, everything else is a scalar and the nearest wins.

/// What a value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// One line of text.
    Text,
    /// Text of any number of lines.
    Prose,
    /// Text that becomes a name in scripts, so it is no keyword there.
    ScriptName,
    Int {
        least: i64,
        most: i64,
    },
    Bool,
    Duration,
    Address,
    Cidr,
    Socket,
    /// `http://` or `https://`.
    Url,
    /// A path inside the design.
    File,
    /// A path inside the design, or a URL.
    Location,
    OneOf(&'static [&'static str]),
    /// Must be written `(secret)"env:X"`.
    Secret,
    /// The version of the secret that stands at the same key.
    SecretVersion,
    /// `sha256:` and 64 hexadecimal digits.
    Checksum,
    /// Text, integer or bool: a BIOS attribute.
    Attribute,
    /// Text, number or bool: a parameter.
    Scalar,
    /// The name of a thing of that kind.
    Reference(&'static str),
    /// A path into a node's spec.
    SpecPath,
    /// A host name or an IPv4 address.
    Host,
    /// Any URI with a scheme; how it is spoken to is its user's business.
    Uri,
    /// A URL, or for controllers that speak no HTTP a host.
    BmcAddress,
    /// A regular expression.
    Pattern,
    /// A list of processors such as `2,4-7` (cpuset(7), list format).
    CpuSet,
    /// Four hexadecimal digits, such as `15b3`: a vendor or a device as the PCI-SIG numbers them.
    PciId,
    /// `4K`, `2M` or `1G`: the sizes of pages.
    PageSize,
    Size,
    /// A size, at least (`>20GiB`), at most (`<20GiB`), or a share (`40%`).
    DiskSize,
    Uuid,
    /// An absolute path on the installed system, or `swap`.
    MountPoint,
    /// A MAC, or `auto`: the one that the machine reports.
    BootMac,
    /// An IPv4 address, `dhcp`, or `auto`: one of the network's static addresses, chosen and kept.
    NodeAddress,
    /// An expression of the selector language.
    Selector,
    /// A mode such as `0644`.
    FileMode,
    /// `3` or `10%`.
    CountOrPercent,
    /// Text, integer, bool, or a reference into the hardware.
    KernelParam,
}

/// How many values a slot takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arity {
    One,
    /// All further arguments; the values are appended to a list.
    Rest,
    /// One text with commas; the parts are appended to a list.
    Split,
}

/// The place of one argument or property.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// A property's name; for an argument, what messages call it.
    pub name: &'static str,
    /// Dotted path below the shape's base; empty: the base itself.
    pub key: &'static str,
    pub kind: Type,
    pub arity: Arity,
    pub required: bool,
    /// Stands there whenever the KDL node itself does.
    pub default: Option<&'static str>,
}

/// How often a KDL node may stand in its parent, and what that makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    Once,
    /// As often as one likes; its values go into lists.
    Many,
    /// As often as one likes; each makes an entry of the list at its base.
    Listed,
    /// Once for each first argument, which becomes the key below its base. `#null` removes.
    Keyed,
}

/// What one KDL node may hold.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub name: &'static str,
    pub times: Times,
    pub base: &'static str,
    pub required: bool,
    pub arguments: &'static [Slot],
    pub properties: &'static [Slot],
    /// In groups, so that kinds can share them.
    pub children: &'static [&'static [Shape]],
    /// Children of any name with one value each: data, such as BIOS attributes.
    pub data: Option<Type>,
    /// The first argument is a pattern and properties that it names are its variables.
    pub pattern: bool,
}

/// A slot whose key is its name.
pub const fn slot(name: &'static str, kind: Type) -> Slot {
    Slot { name, key: name, kind, arity: Arity::One, required: false, default: None }
}

impl Slot {
    pub const fn at(mut self, key: &'static str) -> Slot {
        self.key = key;
        self
    }

    pub const fn required(mut self) -> Slot {
        self.required = true;
        self
    }

    pub const fn rest(mut self) -> Slot {
        self.arity = Arity::Rest;
        self
    }

    pub const fn split(mut self) -> Slot {
        self.arity = Arity::Split;
        self
    }

    pub const fn or(mut self, default: &'static str) -> Slot {
        self.default = Some(default);
        self
    }
}

impl Shape {
    const fn new(name: &'static str, times: Times, base: &'static str) -> Shape {
        Shape {
            name,
            times,
            base,
            required: false,
            arguments: &[],
            properties: &[],
            children: &[],
            data: None,
            pattern: false,
        }
    }

    pub const fn once(name: &'static str) -> Shape {
        Shape::new(name, Times::Once, "")
    }

    pub const fn many(name: &'static str) -> Shape {
        Shape::new(name, Times::Many, "")
    }

    pub const fn listed(name: &'static str, base: &'static str) -> Shape {
        Shape::new(name, Times::Listed, base)
    }

    pub const fn keyed(name: &'static str, base: &'static str) -> Shape {
        Shape::new(name, Times::Keyed, base)
    }

    pub const fn under(mut self, base: &'static str) -> Shape {
        self.base = base;
        self
    }

    pub const fn required(mut self) -> Shape {
        self.required = true;
        self
    }

    pub const fn arguments(mut self, arguments: &'static [Slot]) -> Shape {
        self.arguments = arguments;
        self
    }

    pub const fn properties(mut self, properties: &'static [Slot]) -> Shape {
        self.properties = properties;
        self
    }

    pub const fn children(mut self, children: &'static [&'static [Shape]]) -> Shape {
        self.children = children;
        self
    }

    pub const fn data(mut self, kind: Type) -> Shape {
        self.data = Some(kind);
        self
    }

    pub const fn pattern(mut self) -> Shape {
        self.pattern = true;
        self
    }

    pub fn each_child(&self) -> impl Iterator<Item = &'static Shape> + use<> {
        self.children.iter().flat_map(|group| group.iter())
    }

    pub fn child(&self, name: &str) -> Option<&'static Shape> {
        self.each_child().find(|shape| shape.name == name)
    }

    pub fn property(&self, name: &str) -> Option<&'static Slot> {
        self.properties.iter().find(|slot| slot.name == name)
    }
}
