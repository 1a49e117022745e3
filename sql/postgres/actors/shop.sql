-- What an order writes: a customer, its one job, and a row for each directory.

-- name: insert_customer
INSERT INTO customers (id, customer_id, business_name, email, phone, website, address, city, state,
                       zip, description, category, package_type)
VALUES (%(id)s, %(customer_id)s, %(business_name)s, %(email)s, %(phone)s, %(website)s, %(address)s,
        %(city)s, %(state)s, %(zip)s, %(description)s, %(category)s, %(package_type)s);

-- name: insert_job
INSERT INTO jobs (id, customer_id, package_size, priority_level, package_type, business_data)
VALUES (%(id)s, %(customer_id)s, %(package_size)s, %(priority)s, %(package_type)s,
        %(business_data)s);

-- name: insert_submission
INSERT INTO directory_submissions (id, customer_job_id, submission_queue_id, customer_id,
                                   directory_url, directory_category, listing_data)
VALUES (%(id)s, %(customer_id)s, %(job_id)s, %(customer_id)s, %(url)s, %(category)s,
        %(listing_data)s);
