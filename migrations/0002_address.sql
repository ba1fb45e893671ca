-- Addresses that were chosen for nodes whose design leaves them to us: what a node has it keeps.
CREATE TABLE address (
    network TEXT NOT NULL,
    node    TEXT NOT NULL,
    address TEXT NOT NULL,
    PRIMARY KEY (network, node),
    UNIQUE (network, address)
);
