-- What a device showed before a write that must not be repeated, so that a resumed run can see whether it was done.
ALTER TABLE effect ADD COLUMN mark TEXT;
