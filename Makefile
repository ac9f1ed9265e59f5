# Each target is a script, for systems without make.
.PHONY: demo test check install constraints

demo:
	@scripts/demo

test:
	@scripts/test

check:
	@scripts/check

install:
	@scripts/install

constraints:
	@scripts/constraints
