-- The end of an attempt withdraws its tickets; without this each end reads every ticket there is.
CREATE INDEX boot_ticket_of_attempt ON boot_ticket (attempt);
