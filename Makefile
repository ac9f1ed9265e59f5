# Each target is a script, for systems without make.
.PHONY: demo test test-slm check install constraints

demo:
	@scripts/demo

test:
	@scripts/test

test-slm:
	@scripts/test-slm

check:
	@scripts/check

install:
	@scripts/install

constraints:
	@scripts/constraints
