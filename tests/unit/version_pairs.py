"""Pairs of texts that are versions of each other, and pairs that look so and are not; a pair a line."""

VERSIONS = """
Alice's favourite colour is red. | Alice's favourite colour is blue.
Alice's favourite colour is red | Alice's favourite colour is not red
Alice's favourite colour is red. | Alice's favourite colour is now dark green!
The favourite colour of Alice is red. | The favourite colour of Alice is teal.
Bob lives in Rome. | Bob lives in Paris.
Bob lives in New York. | Bob lives in San Francisco.
Bob lives in New York | Bob lives in New Delhi
Bob currently lives in Rome. | Bob lives in Lima now.
I live in Berlin | I live in Hamburg
The user lives in Oslo with two cats. | The user lives in Bergen with two cats.
Maria works at Acme as an engineer. | Maria works at Globex as an engineer.
Maria works as a nurse. | Maria works as a teacher.
As of May 2024 Maria works at Acme. | As of June 2025, Maria works at Globex.
Since 2021 the CEO of Initech is Dana Fox. | Since 2023 the CEO of Initech is Lee Park.
2024-05-01: the CEO of Initech is Dana Fox. | 2025-02-11: the CEO of Initech is Lee Park.
On 3 May 2023 the price of copper is 8,400 dollars. | On 4 June 2023 the price of copper is 8,700 dollars.
Alice is 35 years old. | Alice is 36 years old.
The deploy port is 8080. | The deploy port is 9090.
The deploy port of the billing service is 8080. | The deploy port of the billing service is 80.
The port of server A is 80 | The port of server A is 443
The billing service listens on port 8080. | The billing service listens on port 8081.
The API's rate limit is 100 requests per minute. | The API's rate limit is 250 requests per minute.
The default branch is main. | The default branch is trunk.
User timezone is UTC+1. | User timezone is UTC-5.
Our standup is at 9:30. | Our standup is at 10:00.
The weekly team meeting is on Monday. | The weekly team meeting is on Thursday.
The release of version 2 is scheduled for March 3. | The release of version 2 is scheduled for April 17.
The licence expires on 2025-01-31. | The licence expires on 2026-01-31.
The database is hosted on server db1. | The database is hosted on server db2.
The backup is stored in Frankfurt. | The backup is stored in Dublin.
The team has 5 engineers. | The team has 7 engineers.
The cache keeps 100 entries per user. | The cache keeps 500 entries per user.
A ticket to the zoo costs 12 euros. | A ticket to the zoo costs 15 euros.
The subscription costs $9 a month. | The subscription costs $12 a month.
The office is located in Lyon. | The office is located in Nantes.
Erin reports to Frank. | Erin reports to Grace.
The incident is assigned to Omar. | The incident is assigned to Priya.
Ken is married to Ruth. | Ken is married to Dora.
Ken plays for the Rovers. | Ken plays for the United.
Sam studies at Leeds. | Sam studies at York.
Nina's dog is called Rex. | Nina's dog is called Bruno.
My wife's name is Anna. | My wife's name is Joanna.
My phone number is 555-0101. | My phone number is 555-0199.
Deploy port: 8080 | Deploy port: 9090
Favourite colour of Alice: red | Favourite colour of Alice: blue
max_connections = 100 | max_connections = 250
cache_size: 12 MB | cache_size: 64 MB
The log level of the gateway = debug | The log level of the gateway = info
name: Alice Smith, city: Rome, job: nurse | name: Alice Smith, city: Oslo, job: nurse
Staging runs on Debian 12. | Staging runs on Debian 13.
The feature flag for dark mode is enabled. | The feature flag for dark mode is disabled.
The status of ticket 4711 is open. | The status of ticket 4711 is closed.
The owner of the parser is team red. | The owner of the parser is team blue.
Python was upgraded to 3.11. | Python was upgraded to 3.13.
The threshold is set to 0.75. | The threshold is set to 0.8.
The retry limit was raised to 5. | The retry limit was raised to 8.
Alice moved to Rome. | Alice moved to Turin.
Alice lives in Rome, works at Acme and drives a Fiat. | Alice lives in Rome, works at Acme and drives a Volvo.
Alice lives in Rome, works at Acme and drives a Fiat. | Alice lives in Rome, works at Globex and drives a Fiat.
Alice lives in Rome, works at Acme and drives a Fiat. | Alice lives in Pisa, works at Acme and drives a Fiat.
The project's goal is faster search. | The project's goal is cheaper storage.
Grandma's birthday party is planned for Saturday. | Grandma's birthday party is planned for Sunday.
The main dish for Friday is lasagne. | The main dish for Friday is ravioli.
The coffee machine is maintained by Otto. | The coffee machine is maintained by Selma.
The answer limit defaults to 2,000 tokens. | The answer limit defaults to 4,000 tokens.
Uploads are limited to 10 MB. | Uploads are limited to 25 MB.
The school starts at 8 am. | The school starts at 7:45 am.
The winter timetable is valid. The first bus to Ulm starts at 5:10. It stops everywhere. \
| The winter timetable is valid. The first bus to Ulm starts at 5:25. It stops everywhere.
"""

OTHERS = """
Alice's favourite colour is red. | Bob's favourite colour is red.
Alice's favourite colour is red. | Bob's favourite colour is blue.
Alice's favourite colour is red. | Alice's favourite food is rice.
Alice's favourite colour is red. | Alice's second favourite colour is blue.
The favourite colour of Alice is red. | The favourite colour of Bob is red.
The favourite colour of Alice is red. | The favourite food of Alice is rice.
The port of server A is 80 | The port of server B is 80
The port of server A is 80 | The port of server B is 81
The port of server A is 80 | The timeout of server A is 80
The port is 80 on server A. | The port is 80 on server B.
The deploy port is 80 on server A. | The deploy port is 81 on server B.
The capital of France is Paris. | The capital of Italy is Rome.
The budget for 2023 is 10k. | The budget for 2024 is 12k.
The revenue was 10 million in 2023. | The revenue was 12 million in 2024.
In 2023 the revenue of Acme was 10 million. | In 2024 the revenue of Acme was 12 million.
Alice likes tea. | Alice likes jazz.
Alice loves her cat. | Alice loves her job.
The user prefers dark mode. | The user prefers short answers.
The user uses Vim. | The user uses Firefox.
The user wants a summary. | The user wants a table.
Alice knows Bob. | Alice knows Carol.
Alice speaks French. | Alice speaks Dutch.
Alice has a dog. | Alice has a boat.
Alice has a daughter called Mia. | Alice has a cousin called Mia.
Alice bought milk. | Alice bought eggs.
Alice visited Rome. | Alice visited Paris.
Alice went to the park. | Alice went to the beach.
Alice went to the park yesterday. | Alice went to the park today.
Alice talked to Bob about rent. | Alice talked to Carol about rent.
Alice is a doctor. | Alice is a mother.
Alice is tall. | Alice is French.
Alice is happy. | Alice is tired.
Alice Smith is happy. | Alice Smith is tall.
Alice is in Rome. | Alice is from Rome.
The server is slow. | The server is old.
The new engineer is friendly. | The new engineer is from Spain.
I am tired today. | I am happy today.
I am a nurse by day. | I am a singer by night.
It is red and round. | It is blue and round.
This is a good idea. | This is a bad idea.
That is all for today. | That is fine for today.
There is a bug in the parser. | There is a bug in the lexer.
There are rules for cats. | There are rules for dogs.
What is the port of server A? | What is the port of server B?
Is the favourite colour of Alice red? | Is the favourite colour of Alice blue?
Fixed bug 123 in the parser. | Fixed bug 124 in the parser.
Fixed the parser bug. | Fixed the lexer bug.
Closed issue 77 after review. | Closed issue 78 after review.
Merged pull request 12 from Ann. | Merged pull request 13 from Ann.
Deployed release 1.2 to staging. | Deployed release 1.3 to staging.
Deployed release 1.2 to staging. | Deployed release 1.2 to production.
Started worker 3 on host a. | Started worker 4 on host a.
Worker 3 finished in 12 s. | Worker 4 finished in 12 s.
Worker 3 finished in 12 s. | Worker 3 finished in 15 s.
2024-01-01 12:00 INFO started worker 3 | 2024-01-01 12:01 INFO started worker 4
2024-01-01 12:00 GET /a 200 12ms | 2024-01-01 12:00 GET /b 200 12ms
ok, thanks a lot! | ok, thanks so much!
Yes, that works for me. | No, that works for nobody.
See you on Monday! | See you on Friday!
Good morning Alice! | Good morning Bob!
Happy birthday, dear Ann! | Happy birthday, dear Tom!
Alice: see you later then | Alice: talk to you later
Alice: that is great news | Bob: that is great news
Alice Smith: great, thanks! | Alice Smith: never mind.
User: fix the parser | User: fix the lexer
TODO: fix the parser | TODO: fix the lexer
Note: buy more milk | Note: call the dentist
Error: file a.txt not found | Error: file b.txt not found
Warning: disk sda is full | Warning: disk sdb is full
Step 1: boil some water | Step 2: boil some water
Step 3: press the red button | Step 3: press the blue button
Item 4: a red pencil | Item 5: a red pencil
- [ ] buy more milk | - [ ] buy more eggs
1. Apples are red. | 2. Cherries are red.
Apples cost 2 euros. | Pears cost 2 euros.
Apples cost 2 euros. | Pears cost 3 euros.
Apples are sweet. | Apples are round.
Chapter 3 is about love. | Chapter 4 is about war.
Page 3 of the contract is signed. | Page 4 of the contract is signed.
If the port is 80, restart nginx. | If the port is 81, restart nginx.
When the status is open, call Ann. | When the status is closed, call Ann.
The file that is in folder A has no rows. | The file that is in folder B has no rows.
The person who lives in Rome called. | The person who lives in Oslo called.
Why the build is red remains unclear. | Why the build is slow remains unclear.
The key for the door is under the mat. | The key for the car is under the mat.
The meeting with Ann is at 9. | The meeting with Bob is at 9.
The meeting with Ann is at 9 in room 4. | The meeting with Ann is at 10 in room 5.
The train to Ulm leaves at 9. | The train to Bonn leaves at 9.
The password for mail is in the vault. | The password for chat is in the vault.
The result of run 12 is 0.71. | The result of run 13 is 0.74.
Accuracy of model A is 0.71. | Accuracy of model B is 0.74.
Version 1.2 of the API is deprecated. | Version 1.3 of the API is deprecated.
Ken's brother is called Max. | Ken's sister is called Ida.
The first planet of the system is hot. | The second planet of the system is cold.
Rome is in Italy. | Rome is on a river.
Rome is the capital of Italy. | Rome is a city of arts.
The parser reads JSON. | The parser reads YAML.
The service supports OAuth. | The service supports SAML.
The recipe needs flour. | The recipe needs butter.
The report covers Q1. | The report covers Q2.
The report for Q1 is late. | The report for Q2 is late.
The dog of Nina is called Rex. | The cat of Nina is called Rex.
Bob's address is 5 Elm Street in Rome. | Bob's address is 7 Oak Lane in Pisa.
Alice's favourite colour is red. | Alice's favourite colour is red. She also likes long walks on the beach.
Alice works at Acme. | Alice works on weekends.
Alice lives in Rome. | Alice lives with Bob.
Ulm beat Bonn by 3 goals. | Ulm beat Kiel by 3 goals.
The cat sat on the mat. | The cat sat on the sofa.
We decided to use Rust for the parser. | We decided to use Go for the parser.
We decided to use Rust for the parser. | We decided to use Rust for the server.
I think the sky is blue because of light. | I think the sky is grey because of rain.
The colour of Alice is red. | Red is the colour of Alice.
port A = 80 for host one | port B = 80 for host one
Dear Ann, your order is ready. | Dear Tom, your order is ready.
Lunch was good. | Lunch was cold.
He lives in Rome. | He lives in Oslo.
She works at Acme. | She works at Globex.
It costs 5 euros. | It costs 6 euros.
"""

RETYPED = """
Alice's favourite colour is red. | alice's favourite colour is red
Alice's favourite colour is red. | Alice\u2019s  favourite\tcolour is red!
The deploy port is 8080 | \u201cThe deploy port\u201d is 8080.
Buy milk, eggs and bread. | Buy milk eggs and bread
Call Ann - she is waiting. | Call Ann \u2013 she is waiting
The \ufb01le is large enough. | The file is large enough.
"""

NOT_RETYPED = """
The balance of the account is -5. | The balance of the account is 5.
The balance of the account is 1.5. | The balance of the account is 15.
The flag -v is set here. | The flag -w is set here.
We meet at nine. | We meet at nine?
Channel #5 is closed today. | Channel 5 is closed today.
"""


def pairs(table: str) -> list[tuple[str, str]]:
    """The pairs of a table."""
    return [(left, right) for line in table.strip().splitlines() for left, right in [line.split(" | ")]]
