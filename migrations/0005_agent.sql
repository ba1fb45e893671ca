-- What a boot ticket is for: `install` puts the node's image on its disk; `agent` boots the agent, which takes orders.
ALTER TABLE boot_ticket ADD COLUMN purpose TEXT NOT NULL DEFAULT 'install';
