-- 1 when an upstream that decides by itself holds the punch, whatever it made of it.
ALTER TABLE punch ADD COLUMN handed_over INTEGER NOT NULL DEFAULT 0;

-- 1 when such an upstream holds the record.
ALTER TABLE unreadable ADD COLUMN told INTEGER NOT NULL DEFAULT 0;

CREATE INDEX unreadable_untold ON unreadable (device_serial, arrival) WHERE told = 0;
