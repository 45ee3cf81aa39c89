-- What a person is asked for besides the face. hash: scrypt, with its parameters and its salt; never the PIN.
CREATE TABLE second_factor (
	employee TEXT NOT NULL,
	kind TEXT NOT NULL,
	hash TEXT NOT NULL,
	PRIMARY KEY (employee, kind)
) WITHOUT ROWID;
